//! temporary
use std::time::Instant;
use super::scene::Scene;
#[test]
#[ignore]
fn speed() {
    let scene = Scene::new();
    let line = format!("{}\n", "x".repeat(99));
    scene.write("a.log", &line.repeat(2_000_000));
    let began = Instant::now();
    let sent = scene.until("", |sent| sent.messages.len() >= 2_000_000);
    let took = began.elapsed();
    println!("{} in {took:?}: {:.0}/s", sent.messages.len(), sent.messages.len() as f64 / took.as_secs_f64());
    // reading alone
    use crate::{reader::*, position::Position, entries::*};
    let mut reader = Reader::new(Rules { max_line: 262144, joined: None });
    let file = std::fs::File::open(scene.path("a.log")).unwrap();
    let size = file.metadata().unwrap().len();
    let mut position = Position::START;
    let (began, mut n, mut b) = (Instant::now(), 0u64, 0);
    loop {
        match reader.read(&file, &mut position, size, false, Rest::Expected).unwrap() {
            Read::Window(mut window) => {
                while let Some((body, _)) = reader.next(&mut window) { n += 1; b += body.len(); }
                reader.advance(&window, &mut position);
                if !reader.close(&window, &mut position, size) { break; }
            }
            _ => break,
        }
    }
    let took = began.elapsed();
    println!("read {n} lines {b} bytes in {took:?}: {:.0}/s", n as f64 / took.as_secs_f64());
}
