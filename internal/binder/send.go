package binder

import (
	"context"
	"fmt"
	"strings"

	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/provider-nlb/provider-nlb/internal/aws"
)

// send makes the call. It is tried once: the group has its own retry, and decides
// anew what to send. It returns AWS's request id, also of a refusal.
func send(ctx context.Context, op operation, arn string) (string, error) {
	descriptions := make([]types.TargetDescription, len(op.changes))
	for i := range op.changes {
		descriptions[i] = types.TargetDescription{Id: &op.changes[i].ID, Port: &op.changes[i].Port}
	}
	client := op.order.Access.ELBv2
	if op.register {
		out, err := client.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: descriptions}, aws.NoRetry)
		if err != nil {
			return aws.RequestID(err), err
		}
		return aws.RequestIDOf(out.ResultMetadata), nil
	}
	out, err := client.DeregisterTargets(ctx, &elbv2.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: descriptions}, aws.NoRetry)
	if err != nil {
		return aws.RequestID(err), err
	}
	return aws.RequestIDOf(out.ResultMetadata), nil
}

// auditNames bounds the targets that an Event names; the log line has them all.
const auditNames = 5

// audit tells of a call: one log line and one Event, with target, pod, rule and
// AWS's request id.
func (g *group) audit(op operation, requestID string, err error) {
	verb, reason := "deregistered", "DeregisteredTargets"
	if op.register {
		verb, reason = "registered", "RegisteredTargets"
	}
	ref := op.order.Binding
	all := make([]string, len(op.changes))
	for i, c := range op.changes {
		all[i] = fmt.Sprintf("%s:%d", c.ID, c.Port)
		if c.Pod.Name != "" {
			all[i] += " (" + c.Pod.Name + ")"
		}
		all[i] += " " + string(c.Rule)
	}
	log := g.b.o.Log.WithValues("binding", ref.String(), "group", g.key.arn, "targets", all, "request-id", requestID)
	if !op.register && aws.IsNotFound(err, "TargetGroupNotFound") {
		// Its targets went with it, as wanted.
		log.Info("the group is gone, and its targets with it")
		return
	}
	if err != nil {
		log.Info("cannot have targets "+verb, "error", aws.Describe(err))
		warning := Event{true, "Cannot" + strings.TrimSuffix(reason, "edTargets") + "Targets", aws.Describe(err)}
		if g.news(op.binding, warning) {
			g.b.o.Event(ref, warning)
		}
		return
	}
	g.news(op.binding, Event{})
	log.Info(verb + " targets")
	names := all[:min(len(all), auditNames)]
	text := fmt.Sprintf("%s %s", verb, strings.Join(names, ", "))
	if more := len(all) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	g.b.o.Event(ref, Event{false, reason, text + "; AWS request " + requestID})
}

// news says that a warning is not the one before it: the same refusal is said once,
// however often it is tried. No warning ends that.
func (g *group) news(b *binding, warning Event) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	was := b.warned
	b.warned = warning
	return warning != was
}
