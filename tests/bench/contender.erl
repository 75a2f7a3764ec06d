%% Processes and messages with the work of tests/bench/README.md:
%% erl -noshell -s contender main -extra --work W --messages N --seed S. Prints lines of «work value unit checksum»; ends
%% with 69 where there is no such work.
-module(contender).
-behaviour(supervisor).
-export([main/0, init/1, start_flapper/3, flap/3]).

main() ->
    Options = pairs(init:get_plain_arguments()),
    Work = maps:get("--work", Options, "oneway-int"),
    Messages = list_to_integer(maps:get("--messages", Options, "100000")),
    Seed = list_to_integer(maps:get("--seed", Options, "1")),
    put(work, Work),
    halt(run(Work, Messages, Seed)).

pairs([Key, Value | Rest]) -> maps:put(Key, Value, pairs(Rest));
pairs([]) -> #{}.

say(Value, Unit, Sum) ->
    io:format("~s ~.3f ~s ~b~n", [get(work), float(Value), Unit, Sum]),
    0.

seconds(Begun) -> erlang:convert_time_unit(erlang:monotonic_time() - Begun, native, nanosecond) / 1.0e9.

number(I, Seed) -> (I * 7 + Seed) rem 1000003.

run("oneway-int", N, Seed) -> stream(int, N div 4 * 4, Seed, 1, 1);
run("oneway-str64", N, Seed) -> stream(str64, N div 4 * 4, Seed, 1, 1);
run("oneway-table", N, Seed) -> stream(table, N div 4 * 4, Seed, 1, 1);
run("batch-int", N, Seed) -> batches(int, N div 4 * 4, Seed);
run("batch-str64", N, Seed) -> batches(str64, N div 4 * 4, Seed);
run("batch-table", N, Seed) -> batches(table, N div 4 * 4, Seed);
run("fanin-int", N, Seed) -> stream(int, N div 4 * 4, Seed, 4, 1);
run("fanout-int", N, Seed) -> stream(int, N div 4 * 4, Seed, 1, 4);
run("pingpong", N, Seed) -> pingpong(N, Seed);
run("spawn", N, Seed) ->
    {_, _, _, Whole, Sum} = crowd(N, Seed),
    say(Whole / N * 1.0e6, "us", Sum);
run("idle-10k", N, Seed) ->
    {Started, Kib, _, _, Sum} = crowd(N, Seed),
    say(Started / N * 1.0e6, "us", Sum),
    say(Kib / N, "KiB", Sum);
run("stop-10k", N, Seed) -> stop(N, Seed);
run("stop-1k", N, Seed) -> stop(N, Seed);
run("restart", N, _) -> restart(N);
run("cpu-scaling", N, Seed) ->
    {One, Sum} = crunch(N, Seed, 1),
    {Two, _} = crunch(N, Seed, 2),
    say(2 * One / Two, "x", Sum);
run(Work, _, _) ->
    io:format(standard_error, "there is no work ~s~n", [Work]),
    69.

%% A mailbox is not bounded, so that a sender never waits.
stream(Kind, N, Seed, Senders, Receivers) ->
    Self = self(),
    Make = maker(Kind, Seed),
    Begun = erlang:monotonic_time(),
    Pids = [spawn_opt(fun() -> Self ! {sum, take(Kind, 1, N div Receivers, 0)} end, [{message_queue_data, off_heap}])
            || _ <- lists:seq(1, Receivers)],
    To = list_to_tuple(Pids),
    [spawn(fun() -> give(S, Senders, N, Make, To) end) || S <- lists:seq(1, Senders)],
    Sum = lists:sum([receive {sum, V} -> V end || _ <- Pids]),
    say(N / seconds(Begun), "msg/s", Sum).

maker(int, Seed) -> fun(I) -> number(I, Seed) end;
maker(str64, Seed) ->
    Texts = list_to_tuple([binary:copy(<<(97 + (K + Seed) rem 26)>>, 64) || K <- lists:seq(0, 15)]),
    fun(I) -> element(1 + I band 15, Texts) end;
maker(table, Seed) ->
    fun(I) ->
        #{id => number(I, Seed), name => <<"picture">>, tags => [<<"red">>, <<"green">>, <<"blue">>, <<"black">>, <<"white">>]}
    end.

give(I, _, N, _, _) when I > N -> ok;
give(I, Step, N, Make, To) ->
    element(1 + I rem tuple_size(To), To) ! Make(I),
    give(I + Step, Step, N, Make, To).

take(_, I, N, Sum) when I > N -> Sum;
take(Kind, I, N, Sum) -> receive V -> take(Kind, I + 1, N, Sum + count(Kind, V, I)) end.

count(int, V, _) -> V;
count(str64, V, I) when I band 63 =:= 0 -> byte_size(V) + binary:first(V);
count(str64, V, _) -> byte_size(V);
count(table, #{id := Id, name := Name, tags := Tags}, _) -> Id + byte_size(Name) + length(Tags).

%% The same from one to one, a hundred in a list.
batches(Kind, N, Seed) ->
    Self = self(),
    Make = maker(Kind, Seed),
    Begun = erlang:monotonic_time(),
    To = spawn_opt(fun() -> Self ! {sum, take_many(Kind, 1, N, 0)} end, [{message_queue_data, off_heap}]),
    spawn(fun() -> give_many(1, N, Make, To) end),
    Sum = receive {sum, V} -> V end,
    say(N / seconds(Begun), "msg/s", Sum).

give_many(I, N, _, _) when I > N -> ok;
give_many(I, N, Make, To) ->
    To ! [Make(K) || K <- lists:seq(I, min(I + 99, N))],
    give_many(I + 100, N, Make, To).

take_many(_, I, N, Sum) when I > N -> Sum;
take_many(Kind, I, N, Sum) ->
    receive Many -> take_each(Kind, Many, I, N, Sum) end.

take_each(Kind, [V | Rest], I, N, Sum) -> take_each(Kind, Rest, I + 1, N, Sum + count(Kind, V, I));
take_each(Kind, [], I, N, Sum) -> take_many(Kind, I, N, Sum).

pingpong(N, Seed) ->
    Pong = spawn(fun pong/0),
    Self = self(),
    Begun = erlang:monotonic_time(),
    spawn(fun() -> Self ! {sum, ping(1, N, Seed, Pong, 0)} end),
    Sum = receive {sum, V} -> V end,
    say(seconds(Begun) / N * 1.0e6, "us", Sum).

ping(I, N, _, _, Sum) when I > N -> Sum;
ping(I, N, Seed, Pong, Sum) ->
    Pong ! {self(), number(I, Seed)},
    receive V -> ping(I + 1, N, Seed, Pong, Sum + V) end.

pong() -> receive {From, V} -> From ! V, pong() end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/status"),
    {match, [Kib]} = re:run(Text, "VmRSS:\\s*(\\d+)", [{capture, [1], list}]),
    list_to_integer(Kib).

crowd(N, Seed) ->
    Self = self(),
    Memory = resident(),
    Begun = erlang:monotonic_time(),
    Pids = [spawn(fun() -> Self ! ready, idle(Self) end) || _ <- lists:seq(1, N)],
    [receive ready -> ok end || _ <- Pids],
    Started = seconds(Begun),
    Kib = resident() - Memory,
    lists:foldl(fun(Pid, I) -> Pid ! {tell, number(I, Seed)}, I + 1 end, 1, Pids),
    Sum = lists:sum([receive {told, V} -> V end || _ <- Pids]),
    Stopping = erlang:monotonic_time(),
    [Pid ! stop || Pid <- Pids],
    [receive stopped -> ok end || _ <- Pids],
    {Started, Kib, seconds(Stopping), seconds(Begun), Sum}.

idle(To) ->
    receive
        {tell, V} -> To ! {told, V}, idle(To);
        stop -> To ! stopped
    end.

stop(N, Seed) ->
    {_, _, Stopped, _, Sum} = crowd(N, Seed),
    say(Stopped * 1.0e6, "us", Sum).

%% A child of OTP's supervisor that fails N times.
restart(N) ->
    logger:set_primary_config(level, none),
    Counter = counters:new(1, []),
    Begun = erlang:monotonic_time(),
    {ok, _} = supervisor:start_link(?MODULE, {self(), Counter, N}),
    Sum = receive {sum, V} -> V end,
    say(seconds(Begun) / N * 1.0e6, "us", Sum).

init({To, Counter, N}) ->
    {ok, {#{strategy => one_for_one, intensity => N + 1, period => 1},
          [#{id => flapper, start => {?MODULE, start_flapper, [To, Counter, N]}}]}}.

start_flapper(To, Counter, N) -> {ok, proc_lib:spawn_link(?MODULE, flap, [To, Counter, N])}.

flap(To, Counter, N) ->
    counters:add(Counter, 1, 1),
    Generation = counters:get(Counter, 1),
    if
        Generation =< N -> exit(once_more);
        true -> To ! {sum, Generation}, receive stop -> ok end
    end.

crunch(N, Seed, Workers) ->
    Self = self(),
    Begun = erlang:monotonic_time(),
    [spawn(fun() -> Self ! {sum, crunch(N, Seed)} end) || _ <- lists:seq(1, Workers)],
    Sum = lists:sum([receive {sum, V} -> V end || _ <- lists:seq(1, Workers)]),
    {seconds(Begun), Sum}.

crunch(0, X) -> X;
crunch(N, X) -> crunch(N - 1, (X * 1103515245 + 12345) band 16#7fffffff).
