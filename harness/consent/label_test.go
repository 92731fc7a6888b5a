package consent

import (
	"strings"
	"testing"

	"github.com/unasked-audit/unasked/harness/screen"
)

// meanings are texts of buttons by language; "x" stands for several.
var meanings = map[intent]map[string]string{
	rejects: {
		"en": "Reject all|Don't allow|I do not agree|Decline optional cookies|Allow essential cookies|Use necessary cookies only|No, thank you|No, I don't agree|Reject and close|Opt out|Continue with necessary cookies only|Reject all except strictly necessary|Withdraw consent|Object to all",
		"de": "Ich stimme nicht zu|Nein, ich stimme nicht zu|Einwilligung ablehnen|Ablehnen und nur Essenzielles akzeptieren|Weiter ohne Einwilligung|Nicht-essenzielle ablehnen|Nur technisch notwendige|Mit notwendigen Cookies fortfahren",
		"fr": "Continuer sans accepter →|N’accepter que les cookies nécessaires|Non, tout refuser|Tout refuser sauf les cookies techniques|Je préfère les rejeter",
		"es": "No, solo las necesarias|Continuar sin aceptar|Rechazar las no esenciales", "it": "Continua senza accettare ×|Accetta solo i necessari|Chiudi e rifiuta tutto",
		"pt": "Prosseguir sem aceitar|Só os necessários|Não concordo", "nl": "Wijs alles af|Doorgaan zonder akkoord te gaan|Nee, accepteer alleen de noodzakelijke",
		"pl": "Nie zgadzam się|Kontynuuj bez akceptacji|Tylko niezbędne", "tr": "Kabul etmiyorum|Kabul etmeden devam et|Yalnızca gerekli olanlara izin ver",
		"ru": "Не принимать|Не согласен|Только обязательные", "zh": "不同意|全部拒绝|僅接受必要的 Cookie|仅使用基本功能", "ja": "同意しない|同意せずに続行|必須のみ",
		"ko": "동의하지 않음|동의 안 함|필수 항목만 동의", "hi": "सहमति न दें|केवल ज़रूरी|स्वीकार किए बिना जारी रखें", "ar": "لا أوافق|عدم الموافقة|قبول الضرورية فقط",
		"sv": "Fortsätt utan att acceptera", "fi": "Jatka hyväksymättä", "cs": "Nesouhlasím", "hu": "Nem fogadom el", "he": "לא מסכים", "th": "ไม่ยอมรับ", "el": "Δεν συμφωνώ", "vi": "Không đồng ý",
	},
	accepts: {
		"en": "Accept|OK, I agree|Accept & continue|Yes, I'm happy|Save and accept all|Allow non-essential|Accept all purposes", "de": "Ich stimme zu|Alles klar, akzeptieren|Zustimmen und weiter",
		"fr": "Oui, je suis d'accord|Accepter & Fermer", "es": "Sí, acepto", "it": "Va bene, accetto", "pt": "Concordar e fechar", "nl": "Ja, ik ga akkoord", "pl": "OK, zgadzam się",
		"tr": "Tümünü kabul et", "ru": "Да, согласен", "zh": "同意并继续", "ja": "同意して続ける", "ko": "동의하고 계속하기", "hi": "सहमति दें", "ar": "الموافقة",
	},
	saves:  {"x": "Confirm my choices|Accept selection|Save & exit|Auswahl akzeptieren|Enregistrer mes choix|Selectie toestaan|Akceptuj wybrane|Сохранить выбор|選択内容を保存|선택 동의|حفظ الإعدادات"},
	opens:  {"x": "Manage options|Customise|Learn more and customize|Consent settings|No, adjust|Einwilligungen verwalten|Je choisis|Gestisci preferenze|管理选项|옵션 관리|إدارة الخيارات"},
	pays:   {"x": "Reject and subscribe|Refuser et s'abonner|Rechazar y pagar|Ablehnen und Abo abschließen|Weiter für 3,99 €|Odrzuć i subskrybuj|Continue ad-free"},
	closes: {"x": "Not now|Maybe later|×|Jetzt nicht|Plus tard|Daha sonra|暂不使用|今はしない"},
	// Never touched: two answers in one, a negation of a no, questions, links, headings.
	unclear: {"x": "Accept or reject|Do not reject|Ablehnen oder akzeptieren|No rechazar|Yes, decline"},
	none:    {"x": "Privacy policy|Why do you need my consent?|Strictly necessary cookies|Essenziell|Always active|Mentions légales|Partners (812)|By tapping Accept you agree that we and our many partners may use whatever they like of what you do here"},
}

func TestMeaning(t *testing.T) {
	lex := words(t)
	for want, languages := range meanings {
		for language, labels := range languages {
			for label := range strings.SplitSeq(labels, "|") {
				r := newReader(&screen.Node{Class: "hierarchy"}, lex)
				if language != "x" {
					r.languages[language] = 10
				}
				for _, spelled := range []string{label, strings.ToUpper(label), "\u200f" + strings.ReplaceAll(label, " ", "\u00a0")} {
					if got := r.meaning(spelled); got != want {
						t.Errorf("%s %q: %d, want %d", language, spelled, got, want)
					}
				}
			}
		}
	}
}

// What a person would never take for a refusal must not become one in another language of the screen.
func TestAcceptIsNoRejectInAnyLanguage(t *testing.T) {
	lex := words(t)
	for _, labels := range meanings[accepts] {
		for label := range strings.SplitSeq(labels, "|") {
			for _, v := range lex.Languages {
				r := newReader(&screen.Node{Class: "hierarchy"}, lex)
				r.languages[v.Language] = 10
				if got := r.meaning(label); got == rejects {
					t.Errorf("%q on a screen in %s is taken to refuse", label, v.Language)
				}
			}
		}
	}
	for _, labels := range meanings[rejects] {
		for label := range strings.SplitSeq(labels, "|") {
			for _, v := range lex.Languages {
				r := newReader(&screen.Node{Class: "hierarchy"}, lex)
				r.languages[v.Language] = 10
				if got := r.meaning(label); got == accepts {
					t.Errorf("%q on a screen in %s is taken to accept", label, v.Language)
				}
			}
		}
	}
}
