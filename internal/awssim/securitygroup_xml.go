package awssim

// xmlRuleBase is what all forms of a rule in a result have.
type xmlRuleBase struct {
	ID          string `xml:"securityGroupRuleId"`
	GroupID     string `xml:"groupId"`
	Egress      bool   `xml:"isEgress"`
	Protocol    string `xml:"ipProtocol"`
	From        int    `xml:"fromPort"`
	To          int    `xml:"toPort"`
	CIDR4       string `xml:"cidrIpv4,omitempty"`
	CIDR6       string `xml:"cidrIpv6,omitempty"`
	PrefixList  string `xml:"prefixListId,omitempty"`
	Description string `xml:"description,omitempty"`
}

type xmlPeer struct {
	GroupID       string `xml:"groupId"`
	UserID        string `xml:"userId,omitempty"`
	VPC           string `xml:"vpcId,omitempty"`
	Peering       string `xml:"vpcPeeringConnectionId,omitempty"`
	PeeringStatus string `xml:"peeringStatus,omitempty"`
	Description   string `xml:"description,omitempty"`
}

type xmlGroupRule struct {
	xmlRuleBase

	ARN   string      `xml:"securityGroupRuleArn"`
	Owner string      `xml:"groupOwnerId"`
	Peer  *xmlPeer    `xml:"referencedGroupInfo,omitempty"`
	Tags  set[ec2Tag] `xml:"tagSet"`
}

type xmlRevoked struct {
	xmlRuleBase

	Peer string `xml:"referencedGroupId,omitempty"`
}

func ruleBase(r *groupRule) xmlRuleBase {
	return xmlRuleBase{
		ID: r.id, GroupID: r.group.id, Egress: r.egress, Protocol: r.protocol, From: r.from, To: r.to,
		CIDR4: r.cidr4, CIDR6: r.cidr6, PrefixList: r.prefixList, Description: r.description,
	}
}

func (c *call) ruleSet(rules []*groupRule) set[xmlGroupRule] {
	var out set[xmlGroupRule]
	for _, r := range rules {
		x := xmlGroupRule{
			xmlRuleBase: ruleBase(r), ARN: ec2ARN(r.group.place, "security-group-rule", r.id), Owner: r.group.account, Tags: ec2Tags(r.tags),
		}
		if r.peer != "" {
			peer := c.referred(r)
			x.Peer = &peer
		}
		out.Item = append(out.Item, x)
	}
	return out
}

type xmlRange struct {
	CIDR4       string `xml:"cidrIp,omitempty"`
	CIDR6       string `xml:"cidrIpv6,omitempty"`
	PrefixList  string `xml:"prefixListId,omitempty"`
	Description string `xml:"description,omitempty"`
}

// xmlPermission is the older form of rules: those with one protocol and one
// range of ports are one. It has no ports where all ports are meant.
type xmlPermission struct {
	Protocol    string        `xml:"ipProtocol"`
	From        *int          `xml:"fromPort,omitempty"`
	To          *int          `xml:"toPort,omitempty"`
	Peers       set[xmlPeer]  `xml:"groups"`
	Ranges4     set[xmlRange] `xml:"ipRanges"`
	Ranges6     set[xmlRange] `xml:"ipv6Ranges"`
	PrefixLists set[xmlRange] `xml:"prefixListIds"`
}

func (p *xmlPermission) add(c *call, r *groupRule) {
	x := xmlRange{r.cidr4, r.cidr6, r.prefixList, r.description}
	switch {
	case r.cidr4 != "":
		p.Ranges4.Item = append(p.Ranges4.Item, x)
	case r.cidr6 != "":
		p.Ranges6.Item = append(p.Ranges6.Item, x)
	case r.prefixList != "":
		p.PrefixLists.Item = append(p.PrefixLists.Item, x)
	default:
		peer := c.referred(r)
		peer.Description = r.description
		p.Peers.Item = append(p.Peers.Item, peer)
	}
}

func (c *call) permissions(g *securityGroup, egress bool) set[xmlPermission] {
	type ports struct {
		protocol string
		from, to int
	}
	var order []ports
	grouped := map[ports]*xmlPermission{}
	for _, r := range g.rules {
		if r.egress != egress || c.now.Before(r.visible) {
			continue
		}
		k := ports{r.protocol, r.from, r.to}
		if grouped[k] == nil {
			grouped[k] = &xmlPermission{Protocol: r.protocol}
			if named := protocolHasPorts(r.protocol); named {
				grouped[k].From, grouped[k].To = &k.from, &k.to
			}
			order = append(order, k)
		}
		grouped[k].add(c, r)
	}
	var out set[xmlPermission]
	for _, k := range order {
		out.Item = append(out.Item, *grouped[k])
	}
	return out
}

// protocolHasPorts says whether ports, or types and codes, mean anything.
func protocolHasPorts(protocol string) bool {
	for _, name := range protocolNumbers {
		if name == protocol {
			return true
		}
	}
	return false
}

type xmlSecurityGroup struct {
	Owner       string             `xml:"ownerId"`
	ID          string             `xml:"groupId"`
	Name        string             `xml:"groupName"`
	Description string             `xml:"groupDescription"`
	VPC         string             `xml:"vpcId"`
	ARN         string             `xml:"securityGroupArn"`
	Ingress     set[xmlPermission] `xml:"ipPermissions"`
	Egress      set[xmlPermission] `xml:"ipPermissionsEgress"`
	Tags        set[ec2Tag]        `xml:"tagSet"`
}

type xmlSecurityGroups struct {
	Groups    set[xmlSecurityGroup] `xml:"securityGroupInfo"`
	NextToken string                `xml:"nextToken,omitempty"`
}

func (c *call) groupList(groups []*securityGroup, next string) xmlSecurityGroups {
	out := xmlSecurityGroups{NextToken: next}
	for _, g := range groups {
		out.Groups.Item = append(out.Groups.Item, xmlSecurityGroup{
			Owner: g.account, ID: g.id, Name: g.name, Description: g.description, VPC: g.vpc, ARN: g.arn(),
			Ingress: c.permissions(g, false), Egress: c.permissions(g, true), Tags: ec2Tags(g.tags),
		})
	}
	return out
}
