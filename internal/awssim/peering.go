package awssim

import (
	"slices"
	"strings"
	"time"
)

// Peering is an active peering connection of two VPCs of a region, which are made if
// they do not exist.
type Peering struct {
	// Region of both; empty means us-east-1.
	Region string
	// Account of VPC, and PeerAccount of PeerVPC; empty means DefaultAccount.
	Account, VPC, PeerAccount, PeerVPC string
}

// peering is one with its id.
type peering struct {
	Peering

	id string
}

// SeedPeering makes a peering connection.
func (s *Sim) SeedPeering(p Peering) (id string) {
	p.Region = or(p.Region, "us-east-1")
	p.Account, p.PeerAccount = or(p.Account, DefaultAccount), or(p.PeerAccount, DefaultAccount)
	s.SeedVPC(p.Account, p.Region, p.VPC)
	s.SeedVPC(p.PeerAccount, p.Region, p.PeerVPC)
	s.change(func(time.Time) {
		id = "pcx-" + s.unique(17)
		s.peerings = append(s.peerings, peering{p, id})
	})
	return id
}

// peered returns the connection of two groups' VPCs, or nil.
func (s *Sim) peered(a, b *securityGroup) *peering {
	joins := func(p peering, a, b *securityGroup) bool {
		return p.Account == a.account && p.VPC == a.vpc && p.PeerAccount == b.account && p.PeerVPC == b.vpc
	}
	if a.region != b.region {
		return nil
	}
	i := slices.IndexFunc(s.peerings, func(p peering) bool { return p.Region == a.region && (joins(p, a, b) || joins(p, b, a)) })
	if i < 0 {
		return nil
	}
	return &s.peerings[i]
}

// readPeer reads a group that a rule refers to: one of the same VPC, or of one that is
// peered. That of another account is named with it:
// https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html
// The message is AWS's, quoted in hashicorp/terraform-provider-aws#1671.
func (c *call) readPeer(g *securityGroup, owner, v string, p *permission) error {
	if _, id, both := strings.Cut(v, "/"); both && securityGroupID.MatchString(id) {
		// Only consoles and command lines write them together: serverless/serverless#12688.
		return refuse("InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", v)
	}
	other := *c
	other.who.account = or(owner, c.who.account)
	peer, err := other.securityGroup(v)
	switch {
	case err != nil:
		return err
	case (peer.vpc != g.vpc || peer.account != g.account) && c.sim.peered(g, peer) == nil:
		return refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
	}
	p.peer = v
	return nil
}

// referred is a group that a rule refers to, as results have it. Of one in another VPC
// that is gone the account is not told: the rule is stale.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UserIdGroupPair.html
func (c *call) referred(r *groupRule) xmlPeer {
	x := xmlPeer{GroupID: r.peer}
	g := c.sim.groupAnywhere(r.peer)
	if g == nil {
		return x
	}
	x.UserID = g.account
	if p := c.sim.peered(r.group, g); p != nil {
		x.VPC, x.Peering, x.PeeringStatus = g.vpc, p.id, "active"
	}
	return x
}

// groupAnywhere is the group of an id, whoever has it: ids are unique in all of AWS
// (assumed).
func (s *Sim) groupAnywhere(id string) *securityGroup {
	for _, w := range s.worlds {
		if g := w.securityGroups[id]; g != nil {
			return g
		}
	}
	return nil
}
