//! A full disk: what was acknowledged stays, the rest hears that nothing was sent, and it goes on when there is room.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::rig::{KORYOLINK, Phone, World, gift, number};

#[test]
fn below_the_reserve_intake_closes() {
    let world = World::new();
    let served = world.serve();
    world.people(KORYOLINK, 2, 1_000);
    assert_eq!(served.stop().0, 0);
    world.reconfigure("disk_reserve_bytes = 0", "disk_reserve_bytes = 1_000_000_000_000_000_000");
    let served = world.serve();
    let screen = Phone::at(&world.data).dial(1, &gift(500, 2)).expect("answered");
    assert!(screen.contains("Nothing was sent"), "{screen}");
    assert!(world.run(&["subscriber", "bar", &number(1)]).failed(3).contains("disk"));
    assert_eq!(world.run(&["status", "--json"]).json()["closed"], "disk");
    assert_eq!(world.balance(1), 1_000);
    assert_eq!(served.stop().0, 0);
    world.reconfigure("disk_reserve_bytes = 1_000_000_000_000_000_000", "disk_reserve_bytes = 0");
    let served = world.serve();
    let screen = Phone::at(&world.data).dial(1, &gift(500, 2)).expect("answered");
    assert!(screen.contains("Sent: 500 won"), "{screen}");
    assert_eq!(served.stop().0, 0);
}

/// A small disk of its own, for as long as this lives; `None` where this user can't mount one.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(at: &'a Path) -> Option<Self> {
        std::fs::create_dir(at).expect("made");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(at).output();
        mounted.is_ok_and(|done| done.status.success()).then_some(Self(at))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _unmounted = Command::new("umount").arg("--lazy").arg(self.0).output();
    }
}

/// Writes until there is no room.
fn fill(path: &Path) {
    let mut file = File::create(path).expect("made");
    while file.write_all(&[0; 4096]).is_ok() {}
    let mut last = File::create(path.with_extension("last")).expect("made");
    while last.write_all(&[0]).is_ok() {}
}

#[test]
fn a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path().join("disk");
    let Some(disk) = SmallDisk::mount(&at) else {
        // What this user can test of it is the test above.
        return;
    };
    let world = World { data: at.join("data"), temp };
    crate::rig::run(&["init", &crate::rig::text(&world.data), "--listen", "127.0.0.1:0"]).ok();
    world.configure("disk_reserve_bytes = 0\nwal_prewritten_bytes = 0\n");
    let served = world.serve();
    world.people(KORYOLINK, 4, 1_000);
    let edge = Phone::at(&world.data);
    assert!(edge.dial(1, &gift(500, 2)).expect("answered").contains("Sent: 500 won"));
    let filler = at.join("filler");
    fill(&filler);
    let screen = edge.dial(2, &gift(400, 3)).expect("answered");
    assert!(screen.contains("Nothing was sent"), "{screen}");
    // Whoever looks hears why, and sees what is durable, as long as the disk stays full.
    let began = Instant::now();
    assert_eq!(world.run(&["status", "--json"]).json()["closed"], "disk");
    let doctor = world.run(&["doctor"]);
    assert!(doctor.code == 3 && doctor.out.contains("its disk is full"), "{doctor:?}");
    assert_eq!((world.balance(1), world.balance(2), world.balance(3)), (500, 1_000, 1_000));
    assert!(began.elapsed() < Duration::from_secs(60), "they waited for room: {:?}", began.elapsed());
    std::fs::remove_file(&filler).expect("removed");
    std::fs::remove_file(filler.with_extension("last")).expect("removed");
    let began = Instant::now();
    while world.run(&["status", "--json"]).json()["closed"] != serde_json::Value::Null {
        assert!(began.elapsed() < Duration::from_secs(60), "there is room");
    }
    assert!(edge.dial(2, &gift(400, 3)).expect("answered").contains("Sent: 400 won"));
    assert!(edge.dial(3, &gift(300, 4)).expect("answered").contains("Sent: 300 won"));
    let (code, log) = served.stop();
    assert_eq!(code, 0, "{log}");
    world.run(&["verify"]).ok();
    drop(disk);
}
