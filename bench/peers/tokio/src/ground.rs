// SPDX-License-Identifier: MIT
//! What the measures stand on: memory, CPU time, random numbers, printing.

pub fn print(measure: &str, value: f64, unit: &str) {
    println!("{measure} {value} {unit}");
}

/// Resident pages and page tables.
pub fn memory_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("/proc/self/status");
    let kib: f64 = status
        .lines()
        .filter(|line| line.starts_with("VmRSS:") || line.starts_with("VmPTE:"))
        .filter_map(|line| line.split_whitespace().nth(1))
        .filter_map(|kib| kib.parse::<f64>().ok())
        .sum();
    kib * 1024.0
}

/// User and system time of all threads of this process.
pub fn cpu_s() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut now) };
    assert_eq!(result, 0);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Allow as many open files as the hard limit does.
pub fn fds_raise() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    unsafe {
        assert_eq!(libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit), 0);
        limit.rlim_cur = limit.rlim_max;
        assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &limit), 0);
    }
}

pub struct Random(u64);

impl Random {
    pub fn new() -> Self {
        Random(42)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545f4914f6cdd1d) % end
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}
