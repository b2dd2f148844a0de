package aws

import (
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	elbv2Package = "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	// operationErrors begins the name of each function of the SDK that makes the
	// errors of one operation of their codes.
	operationErrors = "awsAwsquery_deserializeOpError"
)

// declared are the codes that the SDK declares, by the operations that declare
// them.
func declared(t *testing.T) map[string][]string {
	t.Helper()
	sdk, err := build.Import(elbv2Package, ".", build.FindOnly)
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(sdk.Dir, "deserializers.go"), nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, operationErrors) {
			continue
		}
		operation := strings.TrimPrefix(f.Name.Name, operationErrors)
		out[operation] = comparedTexts(f)
	}
	return out
}

// comparedTexts are the texts that a function compares without regard to case.
func comparedTexts(f *ast.FuncDecl) []string {
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) != 2 {
			return true
		}
		text, isText := call.Args[0].(*ast.BasicLit)
		name, isSelector := call.Fun.(*ast.SelectorExpr)
		if isText && isSelector && name.Sel.Name == "EqualFold" {
			if code, err := strconv.Unquote(text.Value); err == nil {
				out = append(out, code)
			}
		}
		return true
	})
	return out
}

func TestEveryCodeOfTheSDKHasAMeaning(t *testing.T) {
	declared := declared(t)
	ours := reflect.TypeFor[ELBv2]()
	n := 0
	for i := range ours.NumMethod() {
		operation := ours.Method(i).Name
		codes, ok := declared[operation]
		if !ok {
			t.Errorf("the SDK was not understood: it has no errors of %s", operation)
		}
		for _, code := range codes {
			n++
			if _, ok := meanings[code]; !ok {
				t.Errorf("%s may answer %s, and nothing says what that means: add it to meanings", operation, code)
			}
		}
	}
	if n < 100 {
		t.Errorf("the SDK declares %d codes for our operations: it was not understood", n)
	}
}

// unmodelled are codes that no type of the SDK declares: all of EC2 and STS, and
// what every service may answer.
const unmodelled = `
	AccessDenied AuthFailure Blocked CannotDelete DependencyViolation EC2ThrottledException ExpiredToken
	ExpiredTokenException IncompleteSignature InternalError InternalFailure InvalidAction InvalidClientTokenId
	InvalidGroup.Duplicate InvalidGroup.InUse InvalidGroup.NotFound InvalidGroup.Reserved InvalidGroupId.Malformed
	InvalidInstanceID.NotFound InvalidParameter InvalidParameterCombination InvalidParameterValue InvalidPermission.Duplicate
	InvalidPermission.Malformed InvalidPermission.NotFound InvalidPrefixListID.NotFound InvalidSecurityGroupID.NotFound
	InvalidSecurityGroupRuleId.NotFound InvalidVpcID.NotFound MissingParameter OptInRequired RequestExpired
	RequestLimitExceeded RulesPerSecurityGroupLimitExceeded SecurityGroupLimitExceeded
	SecurityGroupsPerInterfaceLimitExceeded ServiceUnavailable SignatureDoesNotMatch TagLimitExceeded Throttling
	ThrottlingException Unavailable UnauthorizedOperation ValidationError`

func TestEveryUnmodelledCodeHasAMeaning(t *testing.T) {
	for _, code := range strings.Fields(unmodelled) {
		if _, ok := meanings[code]; !ok {
			t.Errorf("nothing says what %s means: add it to meanings", code)
		}
	}
}

func TestEveryMeaningHasAClassAndAReason(t *testing.T) {
	classes := []Class{
		ClassNotFound, ClassExists, ClassConflict, ClassQuota, ClassDependency, ClassTerminal, ClassThrottled, ClassDenied, ClassTransient,
	}
	for code, m := range meanings {
		if !slices.Contains(classes, m.class) || m.why == "" {
			t.Errorf("%s: class %q, because %q", code, m.class, m.why)
		}
		if got := Classify(answer(code, "")); got != m.class {
			t.Errorf("%s is taken for %s, not for %s", code, got, m.class)
		}
	}
}
