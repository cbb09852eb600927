//! sonmul
fn main() {}
