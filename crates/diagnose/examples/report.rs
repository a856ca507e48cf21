fn main() {
    let mut args = std::env::args().skip(1);
    let log = std::fs::read(args.next().unwrap()).unwrap();
    let files: Vec<(String, Vec<u8>)> = args.map(|a| (a.clone(), std::fs::read(&a).unwrap())).collect();
    let images = files.iter().map(|(n, d)| kwhy_diagnose::ImageInput { name: n.clone(), data: d }).collect();
    let report = kwhy_diagnose::analyze(&kwhy_diagnose::Inputs { log: &log, images, sources: None });
    println!("{}", serde_json::to_string_pretty(&report).unwrap());
}
