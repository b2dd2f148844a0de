package aws

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	sdkarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Reader looks things up for many callers. Those who ask at a time share a call;
// an answer that is younger than a caller's maxAge serves without one, and 0 asks
// AWS. After a write through a client of the same account and region, nobody gets
// what was read before it.
//
// An error is AWS's answer to a question for that one thing, so that
// IsNotFound(err, …) means absent: it is never taken from what a list lacks, never
// remembered, and never another caller's. A caller who gives up ends nobody
// else's call.
//
// What methods return is shared with others: do not change what it points to.
type Reader struct {
	elbv2 ELBv2
	ec2   EC2

	loadBalancers *shelf[elbtypes.LoadBalancer]
	targetGroups  *shelf[elbtypes.TargetGroup]
	listeners     *shelf[elbtypes.Listener]
	tags          *shelf[map[string]string]
	groups        *shelf[ec2types.SecurityGroup]
	groupRules    *shelf[[]ec2types.SecurityGroupRule]

	// One call for each.
	targetGroupARNs        *shelf[[]string]
	listenersOf            *shelf[[]elbtypes.Listener]
	rules                  *shelf[[]elbtypes.Rule]
	certificates           *shelf[[]elbtypes.Certificate]
	capacity               *shelf[*elbv2.DescribeCapacityReservationOutput]
	loadBalancerAttributes *shelf[map[string]string]
	targetGroupAttributes  *shelf[map[string]string]
	listenerAttributes     *shelf[map[string]string]
	groupNames             *shelf[string]
}

// MaxAge is what to ask with when an object in sync is polled at an interval: old
// enough that polls share calls, and so young that a change by others is seen at
// most a quarter of an interval later than without.
func MaxAge(poll time.Duration) time.Duration { return poll / pollAges }

// AttributePolls is how many polls pass until attributes are read again, which
// takes a call for each load balancer, target group and listener.
const AttributePolls = 18

// AttributesMaxAge is MaxAge for what takes a call for each: attributes,
// certificates, rules and capacity. Their turns are spread over the polls.
func AttributesMaxAge(poll time.Duration) time.Duration { return AttributePolls * poll }

const (
	// atOnce is how many ARNs or names ELBv2 takes in a call.
	atOnce = 20
	// groupsAtOnce is how many security groups we ask for in a call: a filter
	// takes 200 values.
	groupsAtOnce = 100
	// rulesAtOnce is of how many groups we ask for the rules in a call: a page of
	// 1,000 has all rules of 8 full ones.
	rulesAtOnce = 40
)

func newReader(a *Access, l *ledger) *Reader {
	r := &Reader{elbv2: a.ELBv2, ec2: a.EC2}
	// AWS refuses an ARN of elsewhere, and all that were asked for with it.
	foreign := func(key string) bool {
		p, err := sdkarn.Parse(key)
		return isARN(key) && (err != nil || p.AccountID != a.Account || p.Region != a.Region)
	}
	r.loadBalancers = newShelf(l, lookup[elbtypes.LoadBalancer]{size: atOnce, alone: foreign,
		read: r.readLoadBalancers, all: r.allLoadBalancers})
	r.targetGroups = newShelf(l, lookup[elbtypes.TargetGroup]{size: atOnce, alone: foreign,
		read: r.readTargetGroups, all: r.allTargetGroups, subjects: and(everyUse)})
	r.listeners = newShelf(l, lookup[elbtypes.Listener]{size: atOnce, alone: foreign, read: r.readListeners})
	r.tags = newShelf(l, lookup[map[string]string]{size: atOnce, alone: foreign, read: r.readTags})
	r.groups = newShelf(l, lookup[ec2types.SecurityGroup]{size: groupsAtOnce, read: r.readGroups})
	r.groupRules = newShelf(l, lookup[[]ec2types.SecurityGroupRule]{size: rulesAtOnce, read: r.readGroupRules, subjects: and(everyRule)})

	children := func(key string) []string { return append(reliesOn(key), childrenOf+key) }
	r.targetGroupARNs = newShelf(l, lookup[[]string]{size: 1, read: one(r.readTargetGroupARNs), subjects: and(everyGroup)})
	r.listenersOf = newShelf(l, lookup[[]elbtypes.Listener]{size: 1, read: one(r.readListenersOf), subjects: children})
	r.rules = newShelf(l, lookup[[]elbtypes.Rule]{size: 1, read: one(r.readRules), subjects: children, rotate: true})
	r.certificates = newShelf(l, lookup[[]elbtypes.Certificate]{size: 1, read: one(r.readCertificates), rotate: true})
	r.capacity = newShelf(l, lookup[*elbv2.DescribeCapacityReservationOutput]{size: 1, read: one(r.readCapacity), rotate: true})
	r.loadBalancerAttributes = newShelf(l, lookup[map[string]string]{size: 1, read: one(r.readLoadBalancerAttributes), rotate: true})
	r.targetGroupAttributes = newShelf(l, lookup[map[string]string]{size: 1, read: one(r.readTargetGroupAttributes), rotate: true})
	r.listenerAttributes = newShelf(l, lookup[map[string]string]{size: 1, read: one(r.readListenerAttributes), rotate: true})
	r.groupNames = newShelf(l, lookup[string]{size: 1, read: one(r.readGroupName), subjects: and(everyGroupName)})
	return r
}

// and adds a subject to those of a key.
func and(subject string) func(string) []string {
	return func(key string) []string { return append(reliesOn(key), subject) }
}

// one is a lookup of one key at a time.
func one[T any](read func(context.Context, string) (T, error)) func(context.Context, []string) (map[string]T, error) {
	return func(ctx context.Context, keys []string) (map[string]T, error) {
		v, err := read(ctx, keys[0])
		if err != nil {
			return nil, err
		}
		return map[string]T{keys[0]: v}, nil
	}
}

// LoadBalancer returns the load balancer of an ARN. Code: LoadBalancerNotFound.
func (r *Reader) LoadBalancer(ctx context.Context, arn string, maxAge time.Duration) (elbtypes.LoadBalancer, error) {
	return r.loadBalancers.get(ctx, arn, maxAge)
}

// LoadBalancerByName is LoadBalancer for a name.
func (r *Reader) LoadBalancerByName(ctx context.Context, name string, maxAge time.Duration) (elbtypes.LoadBalancer, error) {
	return r.loadBalancers.get(ctx, name, maxAge)
}

// TargetGroup returns the target group of an ARN. Code: TargetGroupNotFound.
func (r *Reader) TargetGroup(ctx context.Context, arn string, maxAge time.Duration) (elbtypes.TargetGroup, error) {
	return r.targetGroups.get(ctx, arn, maxAge)
}

// TargetGroupByName is TargetGroup for a name.
func (r *Reader) TargetGroupByName(ctx context.Context, name string, maxAge time.Duration) (elbtypes.TargetGroup, error) {
	return r.targetGroups.get(ctx, name, maxAge)
}

// TargetGroupsTagged returns the ARNs of the target groups that have all of the
// tags, sorted. It takes a call for 400 groups of the region, and one for 20 of them
// whose tags are not known.
func (r *Reader) TargetGroupsTagged(ctx context.Context, tags map[string]string, maxAge time.Duration) ([]string, error) {
	all, err := r.targetGroupARNs.get(ctx, everyGroup, maxAge)
	if err != nil {
		return nil, err
	}
	have, err := r.tagsOfAll(ctx, all, maxAge, "TargetGroupNotFound")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(arn string) bool { return have[arn] == nil || !hasAll(have[arn], tags) }), nil
}

// tagsOfAll returns the tags of each ARN that is still there: absent is the code that
// says so of one that is not. Those that are not known share calls.
func (r *Reader) tagsOfAll(ctx context.Context, arns []string, maxAge time.Duration, absent string) (map[string]map[string]string, error) {
	var (
		wg   sync.WaitGroup
		have = make([]map[string]string, len(arns))
		errs = make([]error, len(arns))
	)
	for i, arn := range arns {
		wg.Go(func() { have[i], errs[i] = r.Tags(ctx, arn, maxAge) })
	}
	wg.Wait()
	out := make(map[string]map[string]string, len(arns))
	for i, arn := range arns {
		switch {
		case errs[i] == nil:
			out[arn] = have[i]
		case !IsNotFound(errs[i], absent):
			return nil, errs[i]
		}
	}
	return out, nil
}

func hasAll(have, want map[string]string) bool {
	for k, v := range want {
		if got, ok := have[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// Listener returns the listener of an ARN. Code: ListenerNotFound.
func (r *Reader) Listener(ctx context.Context, arn string, maxAge time.Duration) (elbtypes.Listener, error) {
	return r.listeners.get(ctx, arn, maxAge)
}

// ListenersOf returns the listeners of a load balancer, one call for each. It is
// for finding one by its port. Code: LoadBalancerNotFound.
func (r *Reader) ListenersOf(ctx context.Context, loadBalancerARN string, maxAge time.Duration) ([]elbtypes.Listener, error) {
	return r.listenersOf.get(ctx, loadBalancerARN, maxAge)
}

// Tags returns the tags of a load balancer, target group, listener or rule. Codes:
// LoadBalancerNotFound, TargetGroupNotFound, ListenerNotFound, RuleNotFound.
func (r *Reader) Tags(ctx context.Context, arn string, maxAge time.Duration) (map[string]string, error) {
	return cloned(r.tags.get(ctx, arn, maxAge))
}

// LoadBalancerAttributes returns all attributes. Code: LoadBalancerNotFound.
func (r *Reader) LoadBalancerAttributes(ctx context.Context, arn string, maxAge time.Duration) (map[string]string, error) {
	return cloned(r.loadBalancerAttributes.get(ctx, arn, maxAge))
}

// TargetGroupAttributes returns all attributes. Code: TargetGroupNotFound.
func (r *Reader) TargetGroupAttributes(ctx context.Context, arn string, maxAge time.Duration) (map[string]string, error) {
	return cloned(r.targetGroupAttributes.get(ctx, arn, maxAge))
}

// ListenerAttributes returns all attributes. Code: ListenerNotFound.
func (r *Reader) ListenerAttributes(ctx context.Context, arn string, maxAge time.Duration) (map[string]string, error) {
	return cloned(r.listenerAttributes.get(ctx, arn, maxAge))
}

// ListenerCertificates returns the certificates of a listener; AWS may name the
// default one twice. Code: ListenerNotFound.
func (r *Reader) ListenerCertificates(ctx context.Context, listenerARN string, maxAge time.Duration) ([]elbtypes.Certificate, error) {
	return r.certificates.get(ctx, listenerARN, maxAge)
}

// Rules returns the rules of a listener, the default one included. Code:
// ListenerNotFound.
func (r *Reader) Rules(ctx context.Context, listenerARN string, maxAge time.Duration) ([]elbtypes.Rule, error) {
	return r.rules.get(ctx, listenerARN, maxAge)
}

// RuleTags returns the tags of rules by their ARNs, a call for 20 that are not known.
// A rule that AWS does not have, or does not see yet, is left out.
func (r *Reader) RuleTags(ctx context.Context, arns []string, maxAge time.Duration) (map[string]map[string]string, error) {
	return r.tagsOfAll(ctx, arns, maxAge, "RuleNotFound")
}

// CapacityReservation returns a load balancer's. Some credentials may not, and
// some regions cannot: ask only for what is declared. Code: LoadBalancerNotFound.
func (r *Reader) CapacityReservation(ctx context.Context, arn string, maxAge time.Duration) (*elbv2.DescribeCapacityReservationOutput, error) {
	return r.capacity.get(ctx, arn, maxAge)
}

// SecurityGroup returns the security group of an id. Code: InvalidGroup.NotFound.
func (r *Reader) SecurityGroup(ctx context.Context, id string, maxAge time.Duration) (ec2types.SecurityGroup, error) {
	return r.groups.get(ctx, id, maxAge)
}

// SecurityGroupRules returns the rules of a security group, tags included; none if
// there is no such group: ask for the group.
func (r *Reader) SecurityGroupRules(ctx context.Context, groupID string, maxAge time.Duration) ([]ec2types.SecurityGroupRule, error) {
	return r.groupRules.get(ctx, groupID, maxAge)
}

// SecurityGroupByName returns the security group of that name in a VPC. Code:
// InvalidGroup.NotFound.
func (r *Reader) SecurityGroupByName(ctx context.Context, vpc, name string, maxAge time.Duration) (ec2types.SecurityGroup, error) {
	id, err := r.groupNames.get(ctx, vpc+"/"+name, maxAge)
	if err != nil {
		return ec2types.SecurityGroup{}, err
	}
	g, err := r.groups.get(ctx, id, maxAge)
	if !IsNotFound(err, noGroup) || maxAge == 0 {
		return g, err
	}
	// It may have been replaced by another of that name.
	return r.SecurityGroupByName(ctx, vpc, name, 0)
}

func cloned(m map[string]string, err error) (map[string]string, error) { return maps.Clone(m), err }
