//! What the kernel knows of a process: its CPU time and its memory.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use crate::shell::capture;

/// CPU microseconds that a process has used so far, in user and system mode.
pub fn cpu_micros(pid: u32) -> Result<u64, String> {
    let fields = stat(pid)?;
    Ok(ticks_to_micros(fields[UTIME] + fields[UTIME + 1]))
}

/// CPU microseconds of a process, its living children and those that it has waited for: a PostgreSQL server.
pub fn family_cpu_micros(pid: u32) -> Result<u64, String> {
    let own = stat(pid)?;
    let mut ticks: u64 = own[UTIME..UTIME + 4].iter().sum();
    let processes = fs::read_dir("/proc").map_err(|error| error.to_string())?;
    let pids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    for child in pids {
        // A process that ended meanwhile is counted by its parent from now on.
        let Ok(fields) = stat(child) else { continue };
        if fields[PARENT] == u64::from(pid) {
            ticks += fields[UTIME] + fields[UTIME + 1];
        }
    }
    Ok(ticks_to_micros(ticks))
}

/// Resident memory of a process, KiB.
pub fn resident_kib(pid: u32) -> Result<u64, String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("/proc/{pid}/status has no VmRSS"))
}

/// Places in the list that [`stat`] gives; the third field of `/proc/PID/stat` is the first one here.
const PARENT: usize = 1;
const UTIME: usize = 11;

/// The fields of `/proc/PID/stat` after the program's name, which may hold anything; what is no number is 0.
fn stat(pid: u32) -> Result<Vec<u64>, String> {
    let text =
        fs::read_to_string(format!("/proc/{pid}/stat")).map_err(|error| format!("process {pid}: {error}"))?;
    let (_, fields) = text.rsplit_once(") ").ok_or("/proc/PID/stat has changed its form")?;
    let fields: Vec<u64> = fields.split(' ').map(|field| field.parse().unwrap_or(0)).collect();
    if fields.len() > UTIME + 4 { Ok(fields) } else { Err("/proc/PID/stat has changed its form".to_owned()) }
}

fn ticks_to_micros(ticks: u64) -> u64 {
    static PER_SECOND: OnceLock<u64> = OnceLock::new();
    let per_second = PER_SECOND.get_or_init(|| {
        let answer = capture(Command::new("getconf").arg("CLK_TCK"));
        answer.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(100)
    });
    ticks * 1_000_000 / per_second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_its_own_time_and_memory() {
        let own = std::process::id();
        assert!(cpu_micros(own).is_ok() && family_cpu_micros(own).is_ok());
        assert!(resident_kib(own).unwrap() > 100);
        assert!(cpu_micros(u32::MAX).is_err());
    }
}
