package awssim

import "time"

// SecurityGroupSeed is a security group to make.
type SecurityGroupSeed struct {
	// Account and Region; empty means DefaultAccount and us-east-1.
	Account, Region string
	// ID of the group, sg- and 8 or 17 hex digits.
	ID string
	// Name in its VPC, which is made if it does not exist.
	Name, VPC string
}

// SeedSecurityGroup makes a security group that somebody else has created, with
// the rule that lets everything out. It panics if the id is malformed.
func (s *Sim) SeedSecurityGroup(seed SecurityGroupSeed) {
	if !securityGroupID.MatchString(seed.ID) {
		panic("awssim: not a security group id: " + seed.ID)
	}
	p := place{or(seed.Account, DefaultAccount), or(seed.Region, "us-east-1")}
	s.change(func(now time.Time) {
		w := s.world(p)
		w.vpc(seed.VPC)
		g := &securityGroup{place: p, id: seed.ID, name: seed.Name, vpc: seed.VPC, description: seed.Name, tags: map[string]string{}}
		c := &call{sim: s, region: p.region, now: now, who: identity{account: p.account}}
		c.addRule(g, true, permission{protocol: "-1", from: -1, to: -1, cidr4: "0.0.0.0/0"}, nil).visible = now
		w.securityGroups[g.id] = g
	})
}
