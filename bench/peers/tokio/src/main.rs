// SPDX-License-Identifier: MIT
//! Tokio on its current_thread runtime: one OS thread, tasks without stacks.

mod ground;

use ground::{cpu_s, memory_bytes, print, Random};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{yield_now, JoinHandle};
use tokio::time::{sleep, sleep_until, timeout, timeout_at};

const YIELDS: u64 = 2_000_000;
const SPAWNS: u64 = 1_000_000;
const BATCH: u64 = 100_000;
const MESSAGES: u64 = 2_000_000;
const SLEEPERS: u64 = 1_000_000;
const SCOPES: u64 = 2_000_000;
const LEAVES: u64 = 1_000_000;
const TOO_LATE: i32 = 3;

fn ns_each(start: Instant, count: u64) -> f64 {
    start.elapsed().as_nanos() as f64 / count as f64
}

async fn join_all<T>(tasks: Vec<JoinHandle<T>>) {
    for task in tasks {
        task.await.expect("a task failed");
    }
}

async fn yields(count: u64) {
    for _ in 0..count {
        yield_now().await;
    }
}

async fn measure_yield() {
    let start = Instant::now();
    join_all((0..2).map(|_| tokio::spawn(yields(YIELDS / 2))).collect()).await;
    print("yield", ns_each(start, YIELDS), "ns");
}

/// As many tasks as in a batch, made ready in random order, each yielding 20 times.
async fn measure_yield_100k() {
    const EACH: u64 = 20;
    let mut tasks = Vec::new();
    let mut starts = Vec::new();
    for _ in 0..BATCH {
        let (start, started) = oneshot::channel::<()>();
        starts.push(start);
        tasks.push(tokio::spawn(async move {
            started.await.expect("nobody starts this task");
            yields(EACH).await;
        }));
    }
    yields(2).await;
    Random::new().shuffle(&mut starts);
    let start = Instant::now();
    for one in starts {
        one.send(()).expect("a task has gone");
    }
    join_all(tasks).await;
    print("yield-100k", ns_each(start, BATCH * EACH), "ns");
}

async fn measure_spawn() {
    let start = Instant::now();
    for _ in 0..SPAWNS {
        tokio::spawn(async {}).await.expect("a task failed");
    }
    print("spawn", ns_each(start, SPAWNS), "ns");
}

async fn measure_batch() {
    for name in ["spawn-batch-cold", "spawn-batch"] {
        let start = Instant::now();
        join_all((0..BATCH).map(|_| tokio::spawn(async {})).collect()).await;
        print(name, ns_each(start, BATCH), "ns");
    }
}

async fn measure_pingpong() {
    let (to_pong, mut at_pong) = mpsc::channel::<u64>(1);
    let (to_ping, mut at_ping) = mpsc::channel::<u64>(1);
    let start = Instant::now();
    let pong = tokio::spawn(async move {
        while let Some(message) = at_pong.recv().await {
            to_ping.send(message).await.expect("ping has gone");
        }
    });
    for i in 0..MESSAGES / 2 {
        to_pong.send(i).await.expect("pong has gone");
        at_ping.recv().await;
    }
    drop(to_pong);
    pong.await.expect("pong failed");
    print("pingpong", ns_each(start, MESSAGES), "ns");
}

async fn measure_parked(name: &str, count: u64, lead: Duration) {
    let parked = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::with_capacity(count as usize);
    let before = memory_bytes();
    let start = Instant::now();
    let deadline = start + lead;
    for _ in 0..count {
        let parked = parked.clone();
        tasks.push(tokio::spawn(async move {
            parked.fetch_add(1, Ordering::Relaxed);
            sleep_until(deadline.into()).await;
        }));
    }
    while parked.load(Ordering::Relaxed) < count {
        yield_now().await;
    }
    yield_now().await;
    let create = start.elapsed();
    let bytes = memory_bytes() - before;
    if create >= lead {
        std::process::exit(TOO_LATE);
    }
    join_all(tasks).await;
    let wake = deadline.elapsed();
    print(&format!("{name}-bytes"), bytes / count as f64, "B");
    print(&format!("{name}-create"), create.as_secs_f64(), "s");
    print(&format!("{name}-wake"), wake.as_secs_f64(), "s");
}

async fn measure_sleepers() {
    for name in ["sleepers-1m", "sleepers-1m-warm"] {
        let mut random = Random::new();
        let start = cpu_s();
        let tasks = (0..SLEEPERS)
            .map(|_| tokio::spawn(sleep(Duration::from_nanos(random.below(1_000_000_000)))))
            .collect();
        join_all(tasks).await;
        print(name, cpu_s() - start, "s");
    }
}

async fn measure_sleeps(name: &str, duration: Duration) {
    let mut late_us = Vec::new();
    for _ in 0..300 {
        let start = Instant::now();
        sleep(duration).await;
        late_us.push((start.elapsed().as_secs_f64() - duration.as_secs_f64()) * 1e6);
    }
    late_us.sort_by(f64::total_cmp);
    print(name, late_us[late_us.len() / 2], "us");
}

/// What succeeds at once; the compiler must not see that it does.
async fn ready() -> u64 {
    std::hint::black_box(1)
}

async fn measure_scope() {
    let deadline = (Instant::now() + Duration::from_secs(3600)).into();
    let start = Instant::now();
    for _ in 0..SCOPES {
        timeout_at(deadline, ready()).await.expect("timed out");
    }
    print("scope", ns_each(start, SCOPES), "ns");
    let start = Instant::now();
    for _ in 0..SCOPES {
        timeout(Duration::from_secs(3600), ready()).await.expect("timed out");
    }
    print("scope-in", ns_each(start, SCOPES), "ns");
}

/// The sum of the leaves below, by join: a tree of ten children a node.
fn skynet(number: u64, leaves: u64) -> std::pin::Pin<Box<dyn std::future::Future<Output = u64> + Send>> {
    Box::pin(async move {
        if leaves == 1 {
            return number;
        }
        let each = leaves / 10;
        let children: Vec<_> =
            (0..10).map(|i| tokio::spawn(skynet(number + i * each, each))).collect();
        let mut sum = 0;
        for child in children {
            sum += child.await.expect("a task failed");
        }
        sum
    })
}

/// The same through a channel of each inner node.
fn skynet_sending(
    parent: mpsc::Sender<u64>, number: u64, leaves: u64,
) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send>> {
    Box::pin(async move {
        let mut sum = number;
        if leaves > 1 {
            let each = leaves / 10;
            let (sender, mut parts) = mpsc::channel(10);
            for i in 0..10 {
                tokio::spawn(skynet_sending(sender.clone(), number + i * each, each));
            }
            drop(sender);
            sum = 0;
            while let Some(part) = parts.recv().await {
                sum += part;
            }
        }
        parent.send(sum).await.expect("the parent has gone");
    })
}

async fn measure_skynet(name: &str) {
    let start = Instant::now();
    let sum = if name == "queue-skynet" {
        skynet(0, LEAVES).await
    } else {
        let (sender, mut sum) = mpsc::channel(1);
        tokio::spawn(skynet_sending(sender, 0, LEAVES));
        sum.recv().await.expect("no sum")
    };
    assert_eq!(sum, LEAVES * (LEAVES - 1) / 2);
    print(name, start.elapsed().as_secs_f64() * 1e3, "ms");
}

async fn echo(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        if stream.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
}

async fn serve(path: Option<&str>) {
    ground::fds_raise();
    if let Some(path) = path {
        let listener = UnixListener::bind(path).expect("bind");
        println!("ready 0");
        loop {
            tokio::spawn(echo(listener.accept().await.expect("accept").0));
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    println!("ready {}", listener.local_addr().expect("address").port());
    loop {
        tokio::spawn(echo(listener.accept().await.expect("accept").0));
    }
}

async fn run(measure: &str, argument: Option<&str>) {
    let lead = || Duration::from_secs_f64(argument.and_then(|s| s.parse().ok()).expect("lead"));
    match measure {
        "yield" => measure_yield().await,
        "yield-100k" => measure_yield_100k().await,
        "spawn" => measure_spawn().await,
        "spawn-batch" => measure_batch().await,
        "pingpong" => measure_pingpong().await,
        "parked-100k" => measure_parked(measure, 100_000, lead()).await,
        "parked-1m" => measure_parked(measure, 1_000_000, lead()).await,
        "sleepers-1m" => measure_sleepers().await,
        "sleep-100us" => measure_sleeps(measure, Duration::from_micros(100)).await,
        "sleep-1ms" => measure_sleeps(measure, Duration::from_millis(1)).await,
        "scope" => measure_scope().await,
        "queue-skynet" | "queue-skynet-channel" => measure_skynet(measure).await,
        "echo" => serve(argument).await,
        _ => panic!("no measure '{measure}'"),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let measure = arguments.get(1).expect("usage: bench-tokio MEASURE [ARGUMENT]").clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // A task of its own: the future that block_on runs itself is polled by other rules.
    runtime.expect("runtime").block_on(async move {
        let work = async move { run(&measure, arguments.get(2).map(String::as_str)).await };
        tokio::spawn(work).await.expect("the measure failed");
    });
}
