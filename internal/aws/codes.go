package aws

// classOfCode has every code that ELBv2, EC2 and STS are known to answer with.
// Codes of ELBv2: service/elasticloadbalancingv2/types/errors.go of the SDK;
// of EC2: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html;
// common ones: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html.
// A code that begins with TooMany and is not here is a quota.
var classOfCode = func() map[string]Class {
	out := map[string]Class{}
	for class, codes := range codesOfClass {
		for _, code := range codes {
			out[code] = class
		}
	}
	return out
}()

var codesOfClass = map[Class][]string{
	ClassNotFound: {
		"LoadBalancerNotFound", "ListenerNotFound", "TargetGroupNotFound", "RuleNotFound",
		"InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound", "InvalidSecurityGroupRuleId.NotFound",
		"InvalidPermission.NotFound", "InvalidVpcID.NotFound", "InvalidPrefixListID.NotFound",
		"InvalidPrefixListId.NotFound", "InvalidInstanceID.NotFound",
	},
	ClassExists: {
		"DuplicateLoadBalancerName", "DuplicateTargetGroupName", "DuplicateListener", "PriorityInUse",
		"InvalidGroup.Duplicate", "InvalidPermission.Duplicate",
	},
	ClassConflict: {
		"ResourceInUse", "PriorRequestNotComplete", "CapacityReservationPending",
		// Deletion protection, or a load balancer that is not active yet.
		"OperationNotPermitted",
		"DependencyViolation", "InvalidGroup.InUse",
	},
	ClassQuota: {
		"TargetGroupAssociationLimit", "CapacityUnitsLimitExceeded", "CapacityDecreaseRequestLimitExceeded",
		"InsufficientCapacity",
		"RulesPerSecurityGroupLimitExceeded", "SecurityGroupLimitExceeded",
		"SecurityGroupsPerInterfaceLimitExceeded", "TagLimitExceeded",
	},
	ClassDependency: {
		"SubnetNotFound", "InvalidSubnet", "InvalidSecurityGroup", "AllocationIdNotFound",
		// A certificate may take a while to be seen after it was issued.
		"CertificateNotFound",
		// An instance may not be running yet.
		"InvalidTarget",
		"TrustStoreNotFound", "TrustStoreNotReady",
	},
	ClassTerminal: {
		"ValidationError", "InvalidConfigurationRequest", "InvalidLoadBalancerAction", "IncompatibleProtocols",
		"UnsupportedProtocol", "InvalidScheme", "SSLPolicyNotFound", "ALPNPolicyNotFound", "DuplicateTagKeys",
		"AvailabilityZoneNotSupported", "InvalidAction", "MissingAction", "MalformedQueryString", "MissingParameter",
		"InvalidParameter", "InvalidParameterValue", "InvalidParameterCombination", "InvalidQueryParameter",
		"InvalidGroupId.Malformed", "InvalidPermission.Malformed", "InvalidGroup.Reserved", "CannotDelete",
	},
	ClassThrottled: {
		"Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded",
		"EC2ThrottledException", "RequestThrottled", "RequestThrottledException", "TooManyRequestsException",
	},
	ClassDenied: {
		"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure", "NotAuthorized",
		"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException",
		"MissingAuthenticationToken", "MissingAuthenticationTokenException", "SignatureDoesNotMatch",
		"InvalidSignatureException", "IncompleteSignature", "RequestExpired", "OptInRequired",
		"InvalidIdentityToken", "IDPRejectedClaim", "RegionDisabledException", "MalformedPolicyDocument",
		"PackedPolicyTooLarge",
	},
	ClassTransient: {
		"InternalFailure", "InternalError", "InternalServiceError", "ServiceUnavailable", "Unavailable",
		"HealthUnavailable", "RequestTimeout", "RequestTimeoutException", "IDPCommunicationError",
	},
}
