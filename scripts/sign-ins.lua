-- For wrk: sign-ins with a wrong password, each for another account from another network, so that no limit of an account
-- or a network answers before a password is hashed. The server must take 127.0.0.1 for a trusted proxy.
local asked = 0

function request()
  asked = asked + 1
  local address = string.format('10.%d.%d.%d', math.floor(asked / 62500) % 250, math.floor(asked / 250) % 250, asked % 250 + 1)
  return wrk.format('POST', nil, {
    ['content-type'] = 'application/x-www-form-urlencoded',
    ['origin'] = 'http://' .. wrk.host .. ':' .. wrk.port,
    ['x-forwarded-for'] = address,
  }, 'email=nobody-' .. asked .. '%40flood.example&password=wrong-password-of-nobody')
end

-- What wrk calls an error is a status from 400 on; the server's 429 is the only one that is awaited.
done = function(summary, latency)
  print(string.format('RESULT {"asked": %d, "perSecond": %.1f, "refused": %d}',
    summary.requests, summary.requests / summary.duration * 1e6, summary.errors.status))
end
