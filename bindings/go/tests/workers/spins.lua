-- Never ends by itself.
return { run = function() while true do end end }
