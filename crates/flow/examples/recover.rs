#![allow(missing_docs, clippy::all, clippy::unwrap_used, clippy::panic)]
use kwhy_base::{ImageAddr, Reg};
use kwhy_flow::scene::Scene;
use kwhy_image::Image;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let data = std::fs::read(&args[1]).unwrap();
    let image = Image::parse(&data).unwrap();
    for q in &args[2..] {
        let (sym, off) = q.split_once('+').unwrap();
        let call = off.starts_with('c');
        let off = u64::from_str_radix(off.trim_start_matches('c').trim_start_matches("0x"), 16).unwrap();
        for s in image.symbols_named(sym) {
            let pc = ImageAddr(s.address.0 + off);
            let t = std::time::Instant::now();
            let Some(scene) = Scene::new(&image, pc) else {
                println!("{q}: no scene");
                continue;
            };
            if std::env::var_os("TRACE").is_some() {
                for i in &scene.code.insns {
                    if i.address.0.abs_diff(pc.0) < 64 {
                        println!("{:x} {:?} {:?}", i.address.0 - s.address.0, i.effects, i.flow);
                    }
                }
            }
            if call {
                let Some(i) = scene.insn_before(pc) else { continue };
                let at = i.address;
                println!(
                    "{q}: call {:?} args {:?}",
                    scene.call_target(at),
                    scene.arguments(at, scene.call_arity(at).unwrap_or(3))
                );
                for r in kwhy_arch::cpu(image.arch()).unwrap().arguments.iter().take(2) {
                    println!("   arg {:?}: {:?}", r, scene.argument_terms(at, *r).map(|t| t.0));
                }
                continue;
            }
            if let Some(c) = scene.trap_condition(pc) {
                println!("{q}: TRAP {:?}", c);
            }
            if std::env::var_os("DBG").is_some() {
                println!(
                    "fn {:?} sym {} entry {:?} acc {:?} levels {:?}",
                    scene.function.as_ref().map(|f| (f.name.clone(), f.entry)),
                    scene.symbol,
                    scene.code.entry,
                    scene.accesses(pc),
                    scene.levels(pc)
                );
                let v = scene.view(pc, &[], true);
                for a in scene.accesses(pc) {
                    let n = a.address.unwrap().node.unwrap();
                    println!("NODE {:?}", scene.node(n));
                    if let Some(kwhy_flow::value::Node::Phi { block, place }) = scene.node(n) {
                        for (b, x) in scene.phi_inputs(block, place) {
                            println!(
                                "  in {:?} {:?} {:?} -> {:?}",
                                b,
                                x,
                                x.node.and_then(|n| scene.node(n)),
                                scene.describe(&v, x)
                            );
                        }
                    }
                }
                for a in scene.accesses(pc) {
                    println!("{:?}", a.address.map(|x| scene.describe(&v, x)));
                }
            }
            let r = scene.recover(pc, None, &|_: Reg| None);
            println!("{q} {:?}", t.elapsed());
            match r {
                Some(r) => {
                    println!("  MAIN {:?}", r.main);
                    for a in r.also {
                        println!("  ALSO {:?}", a);
                    }
                    println!(
                        "  {:?} {:?} base {:?} {:?}",
                        r.memory,
                        r.kind,
                        r.base,
                        r.base.and_then(|b| b.node).and_then(|n| scene.node(n))
                    );
                }
                None => println!("  none"),
            }
        }
    }
}
