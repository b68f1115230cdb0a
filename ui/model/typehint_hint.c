#include "typehint.h"

#include <stdio.h>
#include <string.h>

#include "compose.h"
#include "text.h"
#include "typehint_verbs.h"

/* RFC 5321, 4.5.3.1.4, less the line end. Extensions allow more. */
#define COMMAND_LINE_MAX 510
/* RFC 5321, 4.5.3.1.6, less the line end. */
#define TEXT_LINE_MAX 998

/* Each of these writes one sentence when it has something to say, and tells so. */

static bool path_fault(const struct record *r, const char *line, char *out, size_t size)
{
    const char *colon = strchr(line, ':');
    const char *end = colon != NULL ? strchr(colon, '>') : NULL;
    const char *fault = NULL;
    char address[ADDRESS_MAX + 64];
    struct error error = {0};
    if (colon == NULL) {
        fault = _("The ':' is missing.");
    } else if (colon[1] == ' ') {
        fault = _("No space belongs behind the colon (RFC 5321, 3.3).");
    } else if (colon[1] == '\0') {
        return false;
    } else if (colon[1] != '<') {
        fault = _("'<' is missing before the address.");
    } else if (end == NULL) {
        fault = _("'>' is missing at the end.");
    } else if (end[1] != '\0' && end[1] != ' ') {
        fault = _("A space belongs between the address and what follows it.");
    } else {
        size_t len = (size_t)(end - colon) - 2;
        memcpy(address, colon + 2, len < sizeof(address) ? len : sizeof(address) - 1);
        address[len < sizeof(address) ? len : sizeof(address) - 1] = '\0';
        bool mail = typehint_starts(line, "MAIL");
        /* RFC 5321, 4.5.1: the one recipient without a domain. */
        bool postmaster = !mail && str_equal_nocase(address, "postmaster");
        if (!postmaster &&
            address_check(address, mail, typehint_offers(r, "SMTPUTF8"), &error) != ST_OK) {
            fault = error.text;
        }
    }
    if (fault != NULL) {
        str_copy(out, size, fault);
    }
    return fault != NULL;
}

/* A parameter whose extension was not offered is answered 555 (RFC 5321, 4.1.1.11). */
static bool parameter_fault(const struct record *r, const char *line, char *out, size_t size)
{
    const char *at = strchr(line, '>');
    if (at == NULL || typehint_capabilities(r) == NULL) {
        return false;
    }
    for (at++; *at != '\0'; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        for (size_t i = 0; i < typehint_parameter_count; i++) {
            char name[32];
            str_copy(name, sizeof(name), typehint_parameters[i].text);
            bool whole = strcmp(name, "BODY=8BITMIME") == 0 || strcmp(name, "BODY=BINARYMIME") == 0;
            if (!whole) {
                name[strcspn(name, "=")] = '\0';
            }
            size_t n = strlen(name);
            if (typehint_starts(line, typehint_parameters[i].verb) && typehint_starts(at, name) &&
                (at[n] == '\0' || at[n] == ' ' || at[n] == '=') &&
                !typehint_offers(r, typehint_parameters[i].keyword)) {
                (void)snprintf(out, size, _("This server did not offer %s."),
                               typehint_parameters[i].keyword);
                return true;
            }
        }
    }
    return false;
}

static const char *state_sentence(const struct record *r)
{
    switch (r->session) {
    case SMTP_CLOSED:
        return _("There is no connection; Enter opens one.");
    case SMTP_CONNECTED:
        return _("The server has not greeted yet.");
    case SMTP_GREETED:
        return _("Out of order: EHLO comes first.");
    case SMTP_READY:
        return _("Out of order: MAIL FROM comes first.");
    case SMTP_MAIL:
        return _("Out of order now: RCPT TO comes next.");
    default:
        return _("Out of order in this transaction; RSET ends it.");
    }
}

static bool order_fault(const struct record *r, const struct verb *verb, char *out, size_t size)
{
    if (typehint_in_order(r, verb)) {
        return false;
    }
    if (strcmp(verb->name, "STARTTLS") == 0 && r->session_tls) {
        str_copy(out, size, _("This connection is encrypted already."));
    } else if (strcmp(verb->name, "AUTH") == 0 && r->session_authenticated) {
        str_copy(out, size, _("This session is logged in already; AUTH is allowed once."));
    } else {
        str_copy(out, size, state_sentence(r));
    }
    return true;
}

static bool offer_fault(const struct record *r, const struct verb *verb, char *out, size_t size)
{
    if (verb->offer == NULL || typehint_capabilities(r) == NULL ||
        typehint_offers(r, verb->offer)) {
        return false;
    }
    (void)snprintf(out, size, _("This server did not offer %s."), verb->offer);
    return true;
}

static bool auth_fault(const struct record *r, const char *line, char *out, size_t size)
{
    char offered[MECHANISMS_MAX][MECHANISM_MAX + 1];
    if (!typehint_starts(line, "AUTH ")) {
        return false;
    }
    const char *mech = line + 5 + strspn(line + 5, " ");
    size_t len = strcspn(mech, " ");
    size_t count = typehint_mechanisms(r, offered, MECHANISMS_MAX);
    bool known = mech[len] == '\0'; /* it is still being typed */
    struct span typed = {mech, len};
    for (size_t i = 0; i < count; i++) {
        known = known || span_equal_nocase(typed, offered[i]);
    }
    if (count > 0 && !known) {
        str_copy(out, size, _("This server did not offer that mechanism."));
        return true;
    }
    if (!r->session_tls) {
        str_copy(out, size, _("This connection is not encrypted: whoever listens can read it."));
        return true;
    }
    return false;
}

static bool argument_fault(const struct verb *verb, const char *line, char *out, size_t size)
{
    static const char *const bare[] = {"DATA", "STARTTLS", "RSET", "QUIT"};
    static const char *const hungry[] = {"EHLO", "HELO", "VRFY", "EXPN", "BDAT", "ETRN"};
    const char *argument = strchr(line, ' ');
    bool has = argument != NULL && argument[strspn(argument, " ")] != '\0';
    for (size_t i = 0; i < ARRAY_LEN(bare); i++) {
        if (strcmp(verb->name, bare[i]) == 0 && has) {
            (void)snprintf(out, size, _("%s takes nothing behind it."), verb->name);
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(hungry); i++) {
        if (strcmp(verb->name, hungry[i]) == 0 && argument != NULL && !has) {
            (void)snprintf(out, size, _("%s needs something behind it."), verb->name);
            return true;
        }
    }
    return false;
}

static void text_hint(const char *line, char *out, size_t size)
{
    if (strlen(line) > TEXT_LINE_MAX) {
        (void)snprintf(out, size, _("This line is longer than the %d bytes that a line may have."),
                       TEXT_LINE_MAX);
    } else if (strcmp(line, ".") == 0) {
        str_copy(out, size, _("A dot alone: this ends the text, and the message is sent."));
    } else if (line[0] == '.' && line[1] != '.') {
        str_copy(out, size, _("The server takes away the first dot of a line; type it twice."));
    } else {
        str_copy(out, size,
                 _("Message text. A dot alone in a line ends it; a line that begins with "
                   "a dot needs one more."));
    }
}

static void unknown_hint(const struct record *r, const char *line, char *out, size_t size)
{
    for (size_t i = 0; i < typehint_verb_count; i++) {
        if (typehint_starts(typehint_verbs[i].name, line)) {
            return; /* may become one */
        }
    }
    if (r->session == SMTP_CLOSED) {
        str_copy(out, size, state_sentence(r));
    } else {
        str_copy(out, size, _("No verb of SMTP that is known here; it is sent as it is."));
    }
}

void typehint_hint(const struct record *r, const char *line, char *out, size_t size)
{
    char fault[320] = "";
    out[0] = '\0';
    if (r->expects_text) {
        text_hint(line, out, size);
        return;
    }
    if (r->session == SMTP_CONTINUATION) {
        str_copy(out, size, _("The server waits for base64. It is hidden everywhere. * gives up."));
        return;
    }
    const struct verb *verb = typehint_verb(line);
    if (verb == NULL) {
        unknown_hint(r, line, out, size);
        return;
    }
    /* What concerns the line itself comes first; one remark is read, three are not. */
    bool found = (verb->path && path_fault(r, line, fault, sizeof(fault))) ||
                 argument_fault(verb, line, fault, sizeof(fault)) ||
                 order_fault(r, verb, fault, sizeof(fault)) ||
                 offer_fault(r, verb, fault, sizeof(fault)) ||
                 (verb->path && parameter_fault(r, line, fault, sizeof(fault))) ||
                 auth_fault(r, line, fault, sizeof(fault));
    if (!found && strlen(line) > COMMAND_LINE_MAX) {
        (void)snprintf(fault, sizeof(fault), _("The line is longer than %d bytes (RFC 5321)."),
                       COMMAND_LINE_MAX);
        found = true;
    }
    const char *waits = "";
    if (r->running != CHECK_NONE) {
        waits = _("A step is running: Enter waits for it.");
    }
    (void)snprintf(out, size, "%s%s%s%s%s", verb->grammar, found ? "   " : "", fault,
                   waits[0] != '\0' ? "   " : "", waits);
}
