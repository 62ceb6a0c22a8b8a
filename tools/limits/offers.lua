-- wrk's requests: prepared offers from a file, one a line, again and again.
--   wrk -s offers.lua URL -- FILE
local offers = {}
local at = 0

function init(args)
  for line in io.lines(args[1]) do
    offers[#offers + 1] = line
  end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  at = at % #offers + 1
  return wrk.format(nil, nil, nil, offers[at])
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'found {"answered": %d, "seconds": %f, "refused": %d, "lost": %d, "p95_ms": %f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, latency:percentile(95) / 1000
  ))
end
