package aws

// A meaning is what a code of AWS is taken for, and why.
type meaning struct {
	class Class
	why   string
}

// meanings has every code that the calls of ELBv2, EC2 and STS that we make are
// known to answer with.
// Codes of ELBv2: service/elasticloadbalancingv2/deserializers.go of the SDK, by operation;
// of EC2: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html;
// common ones: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html.
// A code that begins with TooMany and is not here is a quota.
var meanings = map[string]meaning{
	// What a call names is not there. Whether that is "absent" is for the call to say.
	"LoadBalancerNotFound":                {ClassNotFound, "deleted, or not yet seen after its creation"},
	"ListenerNotFound":                    {ClassNotFound, "deleted, or not yet seen after its creation"},
	"TargetGroupNotFound":                 {ClassNotFound, "deleted, or not yet seen after its creation"},
	"RuleNotFound":                        {ClassNotFound, "deleted, also with its listener"},
	"InvalidGroup.NotFound":               {ClassNotFound, "deleted, or not yet seen after its creation"},
	"InvalidSecurityGroupID.NotFound":     {ClassNotFound, "another word for InvalidGroup.NotFound"},
	"InvalidSecurityGroupRuleId.NotFound": {ClassNotFound, "revoked, also with its group"},
	"InvalidPermission.NotFound":          {ClassNotFound, "revoked"},
	"InvalidInstanceID.NotFound":          {ClassNotFound, "terminated an hour ago, or not yet seen"},

	// Something has this identity: the next look tells whose it is.
	"DuplicateLoadBalancerName":   {ClassExists, "a load balancer of this name has other settings"},
	"DuplicateTargetGroupName":    {ClassExists, "a target group of this name has other settings"},
	"DuplicateListener":           {ClassExists, "the load balancer has a listener on this port"},
	"PriorityInUse":               {ClassExists, "the listener has a rule of this priority"},
	"InvalidGroup.Duplicate":      {ClassExists, "the VPC has a group of this name"},
	"InvalidPermission.Duplicate": {ClassExists, "the group has this rule"},

	// Something uses it, or changes it at the moment.
	"ResourceInUse":              {ClassConflict, "a listener, an endpoint service, or an address still associated"},
	"PriorRequestNotComplete":    {ClassConflict, "the last capacity request is still being carried out"},
	"CapacityReservationPending": {ClassConflict, "subnets wait for the last capacity request"},
	"OperationNotPermitted":      {ClassConflict, "deletion protection, or a load balancer that is not active yet"},
	"DependencyViolation":        {ClassConflict, "a network interface or a rule of another group refers to the group"},
	"InvalidGroup.InUse":         {ClassConflict, "an older word for DependencyViolation"},
	"IncorrectState":             {ClassConflict, "EC2 is changing it"},
	"ConcurrentTagAccess":        {ClassConflict, "somebody else sets its tags at the moment"},

	// A limit of the account or of a resource: somebody has to raise it, or to make
	// room. Codes of ELBv2 that begin with TooMany are all of these.
	"TooManyLoadBalancers":                     {ClassQuota, "load balancers of the region"},
	"TooManyTargetGroups":                      {ClassQuota, "target groups of the region"},
	"TooManyListeners":                         {ClassQuota, "listeners of the load balancer"},
	"TooManyRules":                             {ClassQuota, "rules of the load balancer"},
	"TooManyActions":                           {ClassQuota, "actions of a rule"},
	"TooManyCertificates":                      {ClassQuota, "certificates of the load balancer"},
	"TooManyTags":                              {ClassQuota, "tags of a resource; another writer may have set them"},
	"TooManyTargets":                           {ClassQuota, "targets of the group, the zone or the load balancer"},
	"TooManyRegistrationsForTargetId":          {ClassQuota, "ports at which a target is registered"},
	"TooManyUniqueTargetGroupsPerLoadBalancer": {ClassQuota, "target groups of the load balancer"},
	"TargetGroupAssociationLimit":              {ClassQuota, "a target group serves one load balancer"},
	"CapacityUnitsLimitExceeded":               {ClassQuota, "reserved capacity of the account"},
	"CapacityDecreaseRequestLimitExceeded":     {ClassQuota, "two decreases a day"},
	"InsufficientCapacity":                     {ClassQuota, "AWS has no more of it in the zone at present"},
	"RulesPerSecurityGroupLimitExceeded":       {ClassQuota, "rules of the group"},
	"SecurityGroupLimitExceeded":               {ClassQuota, "groups of the region"},
	"SecurityGroupsPerInterfaceLimitExceeded":  {ClassQuota, "groups of a network interface"},
	"SecurityGroupsPerInstanceLimitExceeded":   {ClassQuota, "an older word for the limit of an interface"},
	"ResourceLimitExceeded":                    {ClassQuota, "EC2's general word for a limit"},
	"TagLimitExceeded":                         {ClassQuota, "tags of a resource; another writer may have set them"},

	// What it refers to is not there, or not ready.
	"SubnetNotFound":               {ClassDependency, "its creation may still be on its way"},
	"InvalidSubnet":                {ClassDependency, "too few free addresses, no internet gateway, or no IPv6 block yet"},
	"InvalidSecurityGroup":         {ClassDependency, "not yet seen after its creation"},
	"AllocationIdNotFound":         {ClassDependency, "its allocation may still be on its way"},
	"CertificateNotFound":          {ClassDependency, "not seen for a while after it was issued"},
	"InvalidTarget":                {ClassDependency, "the instance may not be running yet"},
	"TrustStoreNotFound":           {ClassDependency, "only of application load balancers"},
	"TrustStoreNotReady":           {ClassDependency, "only of application load balancers"},
	"InvalidVpcID.NotFound":        {ClassDependency, "its creation may still be on its way"},
	"InvalidSubnetID.NotFound":     {ClassDependency, "its creation may still be on its way"},
	"InvalidPrefixListID.NotFound": {ClassDependency, "its creation may still be on its way"},
	"InvalidPrefixListId.NotFound": {ClassDependency, "the same in another case of letters"},

	// AWS will never accept these values.
	"ValidationError":                      {ClassTerminal, "a value breaks a rule of its type"},
	"InvalidConfigurationRequest":          {ClassTerminal, "values that do not go together"},
	"InvalidLoadBalancerAction":            {ClassTerminal, "the action is not for network load balancers"},
	"IncompatibleProtocols":                {ClassTerminal, "the listener's protocol cannot forward to the group's"},
	"UnsupportedProtocol":                  {ClassTerminal, "the protocol is not for network load balancers"},
	"InvalidScheme":                        {ClassTerminal, "the scheme does not go with the rest"},
	"SSLPolicyNotFound":                    {ClassTerminal, "policies are AWS's own: none of that name will come"},
	"ALPNPolicyNotFound":                   {ClassTerminal, "policies are AWS's own: none of that name will come"},
	"DuplicateTagKeys":                     {ClassTerminal, "a key is declared twice"},
	"AvailabilityZoneNotSupported":         {ClassTerminal, "the zone has no network load balancers"},
	"InvalidAction":                        {ClassTerminal, "this AWS does not know the call"},
	"MissingAction":                        {ClassTerminal, "this AWS does not know the call"},
	"MalformedQueryString":                 {ClassTerminal, "the values cannot be sent"},
	"InvalidQueryParameter":                {ClassTerminal, "the values cannot be sent"},
	"MissingParameter":                     {ClassTerminal, "a value is needed that is not declared"},
	"UnknownParameter":                     {ClassTerminal, "this AWS does not know the value"},
	"InvalidCharacter":                     {ClassTerminal, "a value has a letter that AWS does not take"},
	"InvalidParameter":                     {ClassTerminal, "a value breaks a rule of its type"},
	"InvalidParameterValue":                {ClassTerminal, "a value breaks a rule of its type"},
	"InvalidParameterCombination":          {ClassTerminal, "values that do not go together"},
	"UnsupportedOperation":                 {ClassTerminal, "the call is not for this resource"},
	"VPCIdNotSpecified":                    {ClassTerminal, "the account has no default VPC: vpcId is needed"},
	"InvalidGroupId.Malformed":             {ClassTerminal, "no group ever has such an id"},
	"InvalidSecurityGroupRuleId.Malformed": {ClassTerminal, "no rule ever has such an id"},
	"InvalidPrefixListId.Malformed":        {ClassTerminal, "no prefix list ever has such an id"},
	"InvalidVpcID.Malformed":               {ClassTerminal, "no VPC ever has such an id"},
	"InvalidID":                            {ClassTerminal, "nothing ever has such an id"},
	"InvalidPermission.Malformed":          {ClassTerminal, "a rule that AWS cannot have"},
	"InvalidGroup.Reserved":                {ClassTerminal, "the name default is AWS's own"},
	"CannotDelete":                         {ClassTerminal, "a VPC's default group goes with the VPC"},

	// Too many calls of the account.
	"Throttling":                {ClassThrottled, "ELBv2, as its users quote it"},
	"ThrottlingException":       {ClassThrottled, "ELBv2, as its guide has it"},
	"ThrottledException":        {ClassThrottled, "the SDK knows it"},
	"RequestLimitExceeded":      {ClassThrottled, "EC2"},
	"EC2ThrottledException":     {ClassThrottled, "EC2, behind other services"},
	"RequestThrottled":          {ClassThrottled, "the SDK knows it"},
	"RequestThrottledException": {ClassThrottled, "the SDK knows it"},
	"TooManyRequestsException":  {ClassThrottled, "not a quota, in spite of its name"},
	"BandwidthLimitExceeded":    {ClassThrottled, "the SDK knows it"},
	"SlowDown":                  {ClassThrottled, "the SDK knows it"},

	// Permissions, credentials, and the account itself.
	"AccessDenied":                        {ClassDenied, "no policy allows the call"},
	"AccessDeniedException":               {ClassDenied, "no policy allows the call"},
	"UnauthorizedOperation":               {ClassDenied, "EC2: no policy allows the call"},
	"NotAuthorized":                       {ClassDenied, "no policy allows the call"},
	"AuthFailure":                         {ClassDenied, "EC2: the credentials are wrong"},
	"InvalidClientTokenId":                {ClassDenied, "the key does not exist, or is switched off"},
	"UnrecognizedClientException":         {ClassDenied, "the key does not exist"},
	"SignatureDoesNotMatch":               {ClassDenied, "the secret is wrong, or the clock"},
	"InvalidSignatureException":           {ClassDenied, "the secret is wrong, or the clock"},
	"IncompleteSignature":                 {ClassDenied, "the secret cannot be one"},
	"RequestExpired":                      {ClassDenied, "the clock is wrong"},
	"ExpiredToken":                        {ClassDenied, "the session is over"},
	"ExpiredTokenException":               {ClassDenied, "the session is over"},
	"MissingAuthenticationToken":          {ClassDenied, "no credentials"},
	"MissingAuthenticationTokenException": {ClassDenied, "no credentials"},
	"OptInRequired":                       {ClassDenied, "the account has not signed up for the service or the region"},
	"SubscriptionRequiredException":       {ClassDenied, "the account has not signed up for the service"},
	"PendingVerification":                 {ClassDenied, "AWS is checking the account"},
	"Blocked":                             {ClassDenied, "AWS has blocked the account"},
	"InvalidIdentityToken":                {ClassDenied, "STS: the token is not from the role's issuer"},
	"IDPRejectedClaim":                    {ClassDenied, "STS: the token's issuer denies it"},
	"RegionDisabledException":             {ClassDenied, "STS is off in the region"},
	"MalformedPolicyDocument":             {ClassDenied, "STS: the session's policy"},
	"PackedPolicyTooLarge":                {ClassDenied, "STS: the session's tags"},

	// AWS failed.
	"InternalFailure":         {ClassTransient, "AWS's own failure"},
	"InternalError":           {ClassTransient, "AWS's own failure"},
	"InternalServiceError":    {ClassTransient, "AWS's own failure"},
	"ServiceUnavailable":      {ClassTransient, "AWS's own failure"},
	"Unavailable":             {ClassTransient, "AWS's own failure"},
	"HealthUnavailable":       {ClassTransient, "the health of targets cannot be told at present"},
	"RequestTimeout":          {ClassTransient, "the call came too slowly"},
	"RequestTimeoutException": {ClassTransient, "the call came too slowly"},
	"IDPCommunicationError":   {ClassTransient, "STS does not reach the token's issuer"},
	"InvalidPaginationToken":  {ClassTransient, "a list has changed meanwhile: begin again"},
	"InvalidNextToken":        {ClassTransient, "a list has changed meanwhile: begin again"},
}
