//! Development look at who writes a member.
#![allow(clippy::unwrap_used)]
use kwhy_flow::{calls::Calls, scene::Scene, stores::Wanted};
use kwhy_image::Image;
use std::time::Instant;
fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let data = std::fs::read(&a[0]).unwrap();
    let image = Image::parse(&data).unwrap();
    let t = Instant::now();
    let units = image.units_naming(&a[1]);
    println!("{} units {:?}", units.len(), t.elapsed());
    let wanted = Wanted { record: format!("struct {}", a[1]), offset: a[2].parse().unwrap(), size: a[3].parse().unwrap() };
    let mut n = 0;
    for unit in units {
        if image.find_type_in(unit, &wanted.record).is_none() { continue }
        for entry in image.functions_of(unit) {
            n += 1;
            let Some(scene) = Scene::new(&image, entry) else { continue };
            for store in scene.stores_into(&wanted) {
                println!("{} {:?}", scene.symbol, store);
                println!("   {:?}", image.source_at(store.at));
            }
        }
    }
    println!("{n} functions {:?}", t.elapsed());
    let t = Instant::now();
    let calls = Calls::scan(&image);
    println!("calls {:?}", t.elapsed());
    for c in calls.of(image.symbols_named("load_module")[0].address) { println!("{:?} {:?}", c, image.symbol_at(c.caller).map(|s| s.name)); }
}
