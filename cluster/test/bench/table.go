package main

// A line is a row of the table: what is measured, what the peer was measured to do,
// and what is to be reached.
type line struct {
	// key names it for outcomes, and in JSON.
	key string
	// what is measured; peer is AWS Load Balancer Controller (main at 225f445),
	// measured against the same kind of simulation at 60 ms per call on a machine of
	// this size; target is what is to be reached.
	what, peer, target string
}

// lines of the table, in its order.
var lines = []line{
	{"move", "one pod moves, 50-target group: event → RegisterTargets received, p50", "0.20 s", "≤ 0.03 s before the call leaves, no Describe"},
	{"in-place", "DaemonSet of 50 rolled in place: AWS calls", "100 +", "0"},
	{"all-registered", "200 groups, all pods moved at once: last registered", "95 s", "≤ 50 s"},
	{"all-deregistered", "the same: last deregistered", "95 s", "≤ 100 s"},
	{"all-gated", "the same, old pods serve until the gates are True: failed connections", "–", "0"},
	{"hang", "one group hangs 40 s: slowest registration elsewhere", "40 s", "≤ 0.5 s"},
	{"refused", "1 of 20 targets refused: others registered", "none for 38 s", "≤ 1 s"},
	{"departing", "50 nodes labelled departing at once, 3 new ones: least healthy per zone", "all leave at once", "≥ 90 %"},
	{"not-ready", "80 % of nodes NotReady: deregistrations", "all unready", "0"},
	{"restart-writes", "restart, 300 bindings in sync: writes", "0", "0"},
	{"restart-clean", "the same: first possible write after a clean stop", "–", "≤ 3 s"},
	{"restart-killed", "the same: first possible write after SIGKILL", "–", "≤ 20 s"},
	{"dropped", "dropped behind the back, poll 60 s, 20 bindings: repaired", "10.5 h", "≤ 60 s"},
	{"gate", "gate True after AWS says healthy, 6 groups waiting", "15 s (ip), never (instance)", "≤ 2 s"},
	{"memory-steady", "resident memory, 300 bindings, 1,000 nodes, 5,000 hostNetwork + 20,000 other pods: steady", "89 MB at 10,700 pods", "≤ 80 MB"},
	{"memory-peak", "the same: peak at start", "–", "≤ 200 MB"},
	{"idle-cpu", "idle CPU with those", "≈ 0", "≤ 1 % of a core"},
}

// An outcome is what was measured for a line.
type outcome struct {
	key string
	// bound is what AWS's own budget, or the simulated AWS, allows at best.
	bound, measured string
	// met says that the target was reached.
	met bool
	// values are the numbers behind it, in the units that their names end in.
	values map[string]float64
}
