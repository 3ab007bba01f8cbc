-- The requests of `cargo xtask bench`, for wrk with one thread.
--
-- Arguments: scenario, headers file (`name: value` lines), sessions file (`email access_token refresh_token` lines),
-- password, and a word that makes addresses of this run its own. Prints one line of JSON at the end.

local function read_headers(path)
  local headers = {}
  for line in io.lines(path) do
    local name, value = line:match("^([^:]+): (.*)$")
    headers[name] = value
  end
  return headers
end

local function read_sessions(path)
  local sessions = {}
  for line in io.lines(path) do
    local email, access_token, refresh_token = line:match("^(%S+) (%S+) (%S+)$")
    sessions[#sessions + 1] = { email = email, access_token = access_token, refresh_token = refresh_token }
  end
  return sessions
end

local function with(headers, name, value)
  local all = {}
  for key, old in pairs(headers) do all[key] = old end
  all[name] = value
  return all
end

function init(arguments)
  local scenario, headers = arguments[1], read_headers(arguments[2])
  local sessions, password, run = read_sessions(arguments[3]), arguments[4], arguments[5]
  local json = with(headers, "content-type", "application/json")
  local count = 0

  -- One request for each session, made beforehand and sent in turn.
  local function in_turn(make)
    local requests, at = {}, 0
    for place, session in ipairs(sessions) do requests[place] = make(session) end
    return function()
      at = at % #requests + 1
      return requests[at]
    end
  end

  local scenarios = {}

  -- The signed-in user, by access token.
  scenarios.me = in_turn(function(session)
    return wrk.format("GET", "/api/v1/users/me", with(headers, "x-stack-access-token", session.access_token))
  end)

  -- The limit: a route that does nothing but answer.
  scenarios.bare = in_turn(function(session)
    return wrk.format("GET", "/bare", with(headers, "x-stack-access-token", session.access_token))
  end)

  -- A new access token, the refresh token in a header.
  scenarios.refresh = in_turn(function(session)
    local own = with(headers, "x-stack-refresh-token", session.refresh_token)
    return wrk.format("POST", "/api/v1/auth/sessions/current/refresh", own)
  end)

  scenarios.sign_in = in_turn(function(session)
    local body = string.format('{"email":"%s","password":"%s"}', session.email, password)
    return wrk.format("POST", "/api/v1/auth/password/sign-in", json, body)
  end)

  -- A new access token and the next refresh token. A token waits here until the answer to it brought its successor.
  local waiting = {}
  for _, session in ipairs(sessions) do waiting[#waiting + 1] = session.refresh_token end
  function scenarios.rotate()
    local token = table.remove(waiting, 1) or "no-token-left"
    return wrk.format("POST", "/api/v1/auth/sessions/current/refresh", json, '{"refresh_token":"' .. token .. '"}')
  end
  local function take_successor(status, _, body)
    local successor = status == 200 and body:match('"refresh_token"%s*:%s*"([^"]+)"')
    if successor then waiting[#waiting + 1] = successor end
  end

  function scenarios.sign_up()
    count = count + 1
    local email = string.format("%s-%d@example.com", run, count)
    local body = string.format('{"email":"%s","password":"%s"}', email, password)
    return wrk.format("POST", "/api/v1/auth/password/sign-up", json, body)
  end

  request = scenarios[scenario]
  if scenario == "rotate" then response = take_successor end
end

function done(summary, latency)
  io.write(string.format(
    '\n{"requests":%d,"micros":%d,"refused":%d,"broken":%d,"p50_micros":%d,"p99_micros":%d}\n',
    summary.requests, summary.duration, summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)
  ))
end
