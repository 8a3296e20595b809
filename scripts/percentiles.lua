-- For wrk: prints what scripts/measure.mjs reads, as wrk itself leaves out the 95th percentile.
done = function(summary, latency)
  local refused = summary.errors.status + summary.errors.connect + summary.errors.read
    + summary.errors.write + summary.errors.timeout
  print(string.format('RESULT {"perSecond": %.1f, "p50": %.3f, "p95": %.3f, "p99": %.3f, "refused": %d}',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(95) / 1000, latency:percentile(99) / 1000, refused))
end
