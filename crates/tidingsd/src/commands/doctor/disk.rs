//! The directory, the space in it, and how fast it makes things durable.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use nix::sys::statvfs::statvfs;
use tokio::time::Instant;

use super::Finding;
use crate::data::Holder;

/// Below this nothing can be written soon: 64 MiB.
const SPACE_FAIL: u64 = 64 << 20;
/// Below this somebody should look: 1 GiB, some weeks of a busy community.
const SPACE_WARN: u64 = 1 << 30;
/// How often a file is synced to measure it.
const SYNCS: u32 = 16;
/// A sync that takes longer is felt by everyone who sends: people notice 50 ms.
const SYNC_SLOW: Duration = Duration::from_millis(50);

pub(super) fn directory(path: &Path, holder: Option<&Holder>) -> Finding {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            let told = format!("{} cannot be read: {error}", path.display());
            return Finding::fail("data", told, "It must belong to the user who runs tidingsd.");
        }
    };
    let mode = metadata.mode() & 0o777;
    if mode & 0o077 != 0 {
        let told = format!("others on this machine may look into {} ({mode:03o})", path.display());
        return Finding::warn("data", told, "Run `chmod 700` on it.");
    }
    let probe = path.join(format!(".doctor-{}", std::process::id()));
    if let Err(error) = File::create(&probe).and_then(|_| fs::remove_file(&probe)) {
        let told = format!("{} cannot be written: {error}", path.display());
        return Finding::fail("data", told, "It must belong to the user who runs tidingsd.");
    }
    Finding::ok(
        "data",
        match holder {
            Some(holder) => format!("{}, used by {holder}", path.display()),
            None => format!("{}, used by nobody now", path.display()),
        },
    )
}

pub(super) fn space(path: &Path) -> Finding {
    let free = match statvfs(path) {
        // The width of these fields differs from system to system.
        Ok(stat) => {
            let bytes = u128::from(stat.blocks_available()) * u128::from(stat.fragment_size());
            u64::try_from(bytes).unwrap_or(u64::MAX)
        }
        Err(error) => {
            return Finding::warn("disk space", format!("cannot be read: {error}"), "");
        }
    };
    let told = format!("{} MiB free", free >> 20);
    let next = "Free some space: without it messages are refused, though nothing is lost.";
    match free {
        ..SPACE_FAIL => Finding::fail("disk space", told, next),
        SPACE_FAIL..SPACE_WARN => Finding::warn("disk space", told, next),
        _ => Finding::ok("disk space", told),
    }
}

pub(super) fn sync_speed(path: &Path) -> Finding {
    let probe = path.join(format!(".doctor-{}", std::process::id()));
    let measured = measure(&probe);
    // Without the file there is nothing to remove.
    let _ = fs::remove_file(&probe);
    match measured {
        Ok(median) if median > SYNC_SLOW => Finding::warn(
            "durability",
            format!("an fsync takes {:.1} ms", millis(median)),
            "Every message waits for one. Put the data on a faster disk.",
        ),
        Ok(median) => Finding::ok("durability", format!("an fsync takes {:.2} ms", millis(median))),
        Err(error) => Finding::fail(
            "durability",
            format!("a file could not be made durable: {error}"),
            "Nothing can be stored here. Look at the disk, its space and its file system.",
        ),
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The median time in which a page is appended and synced.
fn measure(probe: &Path) -> std::io::Result<Duration> {
    let mut file = File::create(probe)?;
    let mut times = Vec::new();
    for _ in 0..SYNCS {
        let began = Instant::now();
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

/// When a file was last written, in milliseconds since 1970.
pub(super) fn written_at(path: &Path) -> Option<i64> {
    let modified = fs::metadata(path).ok()?.modified().ok()?;
    i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_directory_that_others_can_read_is_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let set = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode));
        set(0o700).unwrap();
        assert_eq!(directory(folder.path(), None).verdict, Verdict::Ok);
        set(0o755).unwrap();
        let finding = directory(folder.path(), None);
        assert_eq!(finding.verdict, Verdict::Warn);
        assert!(finding.to_string().contains("755") && finding.to_string().contains("chmod 700"));
    }

    #[test]
    fn speed_is_measured_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let finding = sync_speed(folder.path());
        assert!(finding.told.contains("fsync takes"), "{finding}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(sync_speed(Path::new("/proc/none")).verdict, Verdict::Fail);
    }
}
