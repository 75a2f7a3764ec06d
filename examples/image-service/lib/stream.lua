-- How a lua-http stream is let go of when its body has not been read or written to the end.
--
-- lua-http's own shutdown goes round for ever where a peer has left in the middle of a body, and with it every other
-- connection of the loop. Closing the socket and saying that the stream is closed keeps it from trying.
local stream = {}

function stream.abandon(self)
  if self.state == "closed" then return end
  local socket = self.connection.socket
  if socket then socket:shutdown("rw") end
  self:set_state("closed")
end

return stream
