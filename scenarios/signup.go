package scenarios

import (
	. "github.com/onsi/ginkgo/v2" //lint:ignore ST1001 Ginkgo's own idiom: specs read as sentences

	"github.com/unasked-audit/unasked/harness/judge"
)

var _ = Describe("without signing up", func() {
	It("creates no account", question(judge.QuestionAccount))
	It("sends no identifier", question(judge.QuestionIdentifier))
	It("sends no identifier before a choice", question(judge.QuestionBeforeConsent))
	It("sends no identifier after rejection", question(judge.QuestionAfterReject))
	It("uploads no draft", question(judge.QuestionDraft))
	It("leaves no account on the device", question(judge.QuestionDeviceAccount))
	It("keeps no account that comes back", question(judge.QuestionRecoverable))
	It("keeps nothing for the next installation", question(judge.QuestionWaits))
	It("begins a sign-up with nothing from before", question(judge.QuestionContinuity))
	It("the website knows nobody", question(judge.QuestionOutside))
})
