//! The `sonmul` binary. All of it is in the library of the same name, so that `lab` measures what people run.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sonmul::main()
}
