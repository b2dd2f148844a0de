// Package histories proves the binding's engine under production traffic: real
// binder, real clusters, the real AWS SDK and its wire, against the simulated AWS
// and a model of Kubernetes behind the API server's own protocol. It holds tests
// only; nothing may import it.
//
// # A world
//
// A world lives in a bubble of testing/synctest, whose clock moves when nobody has
// anything to do, so that hours take milliseconds and nothing is waited for. In it
// are
//
//   - an API server in memory that lists and watches over HTTP (apiserver_test.go),
//   - nodes, kubelets and the controllers of pods, and what runs on the ports of
//     the hosts (kube_test.go, pods_test.go),
//   - AWS, slow as users report it, with users who connect (world_test.go),
//   - the provider's process: it can be killed at any call and started again, and
//     remembers what the bindings' status holds (process_test.go),
//   - judges (judge_test.go, brakes_test.go, gates_test.go): each DeregisterTargets is
//     judged when it arrives, by what Kubernetes and AWS hold at that moment and by
//     what people have held or approved; so is each readiness gate that turns, or does
//     not; and so is each connection that fails.
//
// The model does to pods what Kubernetes does and says of them what Kubernetes
// says; it knows no rule of binding.md. Only the judges do.
//
// # Random histories
//
// A history is made from a seed (random_test.go, acts_test.go): what happens, when, and
// to whom. The provider's clock and AWS's are one; Kubernetes' is set now and then, which
// to the provider is as if somebody set its own. The seed is printed with a failure:
//
//	go test ./internal/histories -run TestRandomHistories -seed=1234 -v
//	make soak HISTORIES=20000
//
// make test lives through 1,000 of them, and through 60 with the race detector.
//
// A process that dies with the nth call of a rollout, for each n, is no random history:
// kills_test.go has those.
//
// The script of a seed is always the same. What the engine makes of it also depends
// on the order in which its goroutines run and on the jitter of its retries, so a
// failure that depends on these may need several runs: -count=20.
package histories
