package knowledge

import "testing"

func TestWords(t *testing.T) {
	w := &embeddedBase(t).Words
	for role, texts := range map[string][]string{
		RoleAccept: {
			"Accept", "ACCEPT ALL", "Accept & continue", " I agree ", "Yes, I agree!", "Agree and close", "OK",
			"Alle akzeptieren", "ZUSTIMMEN", "Ich stimme zu", "Zustimmen und weiter",
			"Tout accepter", "J’accepte", "J'accepte", "Accepter & fermer", "D’accord",
			"Aceptar todo", "Acepto", "Accetta tutti", "Accetto", "Aceitar tudo", "Concordo", "Alles accepteren", "Ik ga akkoord",
			"✓ Accept all cookies",
		},
		RoleReject: {
			"Reject all", "Decline", "No, thanks", "Do not accept", "Don’t accept", "I do not agree", "Accept only necessary",
			"Continue without accepting", "Only essential cookies", "Decline and don't ask again", "No, I don't agree",
			"Alle ablehnen", "Nicht zustimmen", "Nur notwendige Cookies akzeptieren", "Ohne Einwilligung fortfahren",
			"Tout refuser", "Continuer sans accepter", "Ne pas accepter", "Je n’accepte pas",
			"Rechazar todo", "No acepto", "Continuar sin aceptar", "Solo necesarias",
			"Rifiuta tutto", "Continua senza accettare", "Non accetto",
			"Rejeitar todos", "Não aceito", "Continuar sem aceitar", "Alles weigeren", "Niet akkoord", "Alleen noodzakelijke cookies",
		},
		RoleSettings:        {"Manage options", "Einstellungen", "Paramétrer", "Más opciones", "Gestisci preferenze", "Definições", "Voorkeuren"},
		RoleConsent:         {"We value your privacy and use cookies", "Wir brauchen Ihre Einwilligung", "Nous respectons votre vie privée", "Tu privacidad nos importa", "Informativa sulla privacy", "A sua privacidade", "Wij geven om uw privacy"},
		RoleRecord:          {"Record", "Start recording", "Aufnehmen", "Grabar"},
		RoleStop:            {"Stop", "Stop recording", "Aufnahme beenden"},
		RoleDiscard:         {"Discard", "Delete draft", "Verwerfen", "Don't save"},
		RolePermissionAllow: {"Allow", "While using the app", "Zulassen"},
		RolePermissionDeny:  {"Don’t allow", "Don't allow", "Nicht zulassen", "Ne pas autoriser"},
		RoleSignup:          {"Sign up", "Create account", "Registrieren", "S’inscrire", "Continue with Google"},
		RoleClose:           {"Close", "✕", "×", "Schließen", "Maybe later"},
	} {
		if !w.Has(role) {
			t.Errorf("there are no words for %s", role)
		}
		for _, text := range texts {
			if lang, pattern, ok := w.Match(role, text); !ok || lang == "" || pattern == "" {
				t.Errorf("%q is not recognised as %s", text, role)
			}
		}
	}
}

// A wrong tap is worse than none.
func TestNegationsAcceptNothing(t *testing.T) {
	w := &embeddedBase(t).Words
	for _, text := range []string{
		"Do not accept", "Don't accept", "don’t agree", "I do not consent", "Never accept", "Continue without accepting",
		"Accept only necessary", "Accept necessary cookies only", "Accept selected", "Manage or accept", "Reject or accept",
		"Nicht zustimmen", "Ich stimme nicht zu", "Nicht akzeptieren", "Nur notwendige akzeptieren", "Ohne zu akzeptieren", "Auswahl akzeptieren",
		"Ne pas accepter", "Je n'accepte pas", "Continuer sans accepter", "Accepter uniquement les nécessaires", "Pas d'accord",
		"No aceptar", "No acepto", "Continuar sin aceptar", "Aceptar solo necesarias", "No estoy de acuerdo",
		"Non accetto", "Continua senza accettare", "Accetta solo necessari",
		"Não aceito", "Continuar sem aceitar", "Aceitar apenas necessários",
		"Niet accepteren", "Niet akkoord", "Doorgaan zonder te accepteren", "Alleen noodzakelijke accepteren",
		"By continuing you agree that we and our partners may accept cookies", "", "   ", "…", "Settings", "Accepted payment methods",
	} {
		if lang, pattern, ok := w.Match(RoleAccept, text); ok {
			t.Errorf("%q accepts, by %s %q", text, lang, pattern)
		}
	}
	for _, text := range []string{"Accept all", "Zustimmen", "Tout accepter", "Don't reject", "Manage choices", "Settings"} {
		if lang, pattern, ok := w.Match(RoleReject, text); ok {
			t.Errorf("%q rejects, by %s %q", text, lang, pattern)
		}
	}
	if _, _, ok := w.Match("no such role", "Accept"); ok {
		t.Error("an unknown role matches")
	}
}

// No label may both accept and reject, in whatever language.
func TestLabelsAreUnambiguous(t *testing.T) {
	w := &embeddedBase(t).Words
	for _, r := range w.Roles {
		if r.Role != RoleAccept && r.Role != RoleReject {
			continue
		}
		other := RoleAccept
		if r.Role == RoleAccept {
			other = RoleReject
		}
		for _, l := range r.Languages {
			for _, label := range append(l.Labels, l.Phrases...) {
				if lang, pattern, ok := w.Match(other, label); ok {
					t.Errorf("%s %q is also taken to %s, by %s %q", r.Role, label, other, lang, pattern)
				}
			}
		}
	}
}
