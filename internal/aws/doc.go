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
// ELBv2 or EC2 takes tokens from the [Budget] of its account and region, a call ends
// within [CallTimeout], and the text of an error that a client returns is the
// same whenever its cause is the same: it may go into a condition as it is.
//
// What decides where a call goes is the [Config] alone. Of the environment, a
// source reads what it is named after, and nothing else (see [Source]); proxies
// and trusted certificates are the machine's, as for every Go program.
//
// Reads of things that are polled go through Access.Read, a [Reader]: it puts the
// questions of many callers into few calls, and answers from what was read before
// if the caller allows. 500 objects in sync cost less than 100 calls in a round of
// polls (TestCallsOf500Resources measures it). What it keeps ends with a write of
// ours: every client notes its writes by itself.
//
//	g, err := access.Read.TargetGroup(ctx, arn, aws.MaxAge(poll))
//	tags, err := access.Read.Tags(ctx, arn, aws.MaxAge(poll))
//	attributes, err := access.Read.TargetGroupAttributes(ctx, arn, aws.AttributesMaxAge(poll))
//	g, err = access.Read.TargetGroup(ctx, arn, 0) // before deciding on what cannot be undone
//
// Call sites that read need no options. A caller with a retry of its own, such as
// the binder, passes [NoRetry], and takes its token first:
//
//	if err := access.Budget.Acquire(ctx, aws.Registration, aws.PriorityRegister); err != nil { … }
//	in := decide() // the content, only now
//	out, err := access.ELBv2.RegisterTargets(aws.Prepaid(ctx), in, aws.NoRetry)
package aws
