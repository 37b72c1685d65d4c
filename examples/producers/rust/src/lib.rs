//! A window of a process as the body of a snapshot.
use pprof::protos::Message;
use pprof::ProfilerGuard;
use std::error::Error;
use std::io::Write;

/// Samples the process from here on, 100 times a second of CPU.
pub fn start() -> pprof::Result<ProfilerGuard<'static>> {
    ProfilerGuard::new(100)
}

/// What was sampled since `start`; start again for the next window.
pub fn snapshot(window: ProfilerGuard) -> Result<Vec<u8>, Box<dyn Error>> {
    let message = window.report().build()?.pprof()?.encode_to_vec();
    let mut body = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    body.write_all(&message)?;
    Ok(body.finish()?)
}
