// Package aws is how the provider reaches AWS: who it is there, which client it
// uses, how often it may call, and what an error means.
//
//	pool := aws.NewPool(aws.PoolOptions{UserAgent: "provider-nlb/v0.1.0 cluster/4f2a"})
//	access, err := pool.Access(ctx, cfg, "eu-west-1")
//	out, err := access.ELBv2.DescribeTargetGroups(ctx, in)
//	if aws.IsNotFound(err, "TargetGroupNotFound") { … }
//
// A [Pool] keeps one [Access] for each identity and region, so that credentials,
// connections and token buckets outlive a reconcile. Every attempt of a call to
// ELBv2 takes tokens from the [Budget] of its account and region, a call ends
// within [CallTimeout], and the text of an error that a client returns is the
// same whenever its cause is the same: it may go into a condition as it is.
//
// What decides where a call goes is the [Config] alone. Of the environment, a
// source reads what it is named after, and nothing else (see [Source]); proxies
// and trusted certificates are the machine's, as for every Go program.
//
// Call sites that read need no options. A caller with a retry of its own, such as
// the binder, passes [NoRetry], and takes its token first:
//
//	if err := access.Budget.Acquire(ctx, aws.Registration, aws.PriorityRegister); err != nil { … }
//	in := decide() // the content, only now
//	out, err := access.ELBv2.RegisterTargets(aws.Prepaid(ctx), in, aws.NoRetry)
package aws
