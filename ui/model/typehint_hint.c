#include "typehint.h"

#include <stdio.h>
#include <string.h>

#include "base64.h"
#include "compose.h"
#include "escape.h"
#include "macro.h"
#include "raw_text.h"
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

/* The word that is being typed may still become a parameter. */
static bool is_begun(struct span word, enum envelope_command command)
{
    if (word.p[word.len] != '\0' || memchr(word.p, '=', word.len) != NULL) {
        return false;
    }
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        if (envelope_params[i].command == command && word.len < strlen(envelope_params[i].name) &&
            typehint_starts(envelope_params[i].name, word.p)) {
            return true;
        }
    }
    return false;
}

/* A parameter whose extension was not offered is answered 555 (RFC 5321, 4.1.1.11). */
static bool parameter_fault(const struct record *r, const char *line, char *out, size_t size)
{
    struct caps caps;
    struct span whole = span_of(line);
    struct span word;
    struct error why = {.text = ""};
    size_t at = 0;
    bool known = typehint_caps(r, &caps);
    enum envelope_command command = typehint_envelope(line);
    if (strchr(line, '>') == NULL) {
        return false;
    }
    while (envelope_next_param(whole, &at, &word)) {
        if (!is_begun(word, command) && envelope_judge(command, word, known ? &caps : NULL,
                                                       r->session_tls, &why) != ENVELOPE_GOOD) {
            str_copy(out, size, why.text);
            return true;
        }
    }
    return false;
}

/* The grammar of the parameter that is being typed goes before that of the command. */
static bool parameter_grammar(const char *line, char *out, size_t size)
{
    struct span word;
    const struct envelope_param *param = NULL;
    size_t at = 0;
    while (strchr(line, '>') != NULL && envelope_next_param(span_of(line), &at, &word)) {
        param = word.p[word.len] == '\0' ? envelope_find(word) : NULL;
    }
    if (param == NULL) {
        return false;
    }
    (void)snprintf(out, size, "%s%s%s   %s", param->name, param->form != NULL ? "=" : "",
                   param->form != NULL ? param->form : "", param->reference);
    return true;
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

static bool order_fault(const struct record *r, unsigned mode, const struct verb *verb, char *out,
                        size_t size)
{
    if (typehint_in_order(r, mode, verb)) {
        return false;
    }
    if (strcmp(verb->name, "STARTTLS") == 0 && r->session_tls) {
        str_copy(out, size, _("This connection is encrypted already."));
    } else if (strcmp(verb->name, "AUTH") == 0 && r->session_authenticated) {
        str_copy(out, size, _("This session is logged in already; AUTH is allowed once."));
    } else if ((mode & TYPEHINT_LMTP) != 0 &&
               (strcmp(verb->name, "EHLO") == 0 || strcmp(verb->name, "HELO") == 0)) {
        str_copy(out, size, _("LMTP has LHLO instead (RFC 2033, 4.1)."));
    } else if (strcmp(verb->name, "LHLO") == 0 && (mode & TYPEHINT_LMTP) == 0) {
        str_copy(out, size, _("LHLO belongs to LMTP (RFC 2033)."));
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

static void text_hint(const char *line, struct typehint *out)
{
    char *remark = out->remark;
    size_t size = sizeof(out->remark);
    if (strlen(line) > TEXT_LINE_MAX) {
        (void)snprintf(remark, size,
                       _("This line is longer than the %d bytes that a line may have."),
                       TEXT_LINE_MAX);
    } else if (strcmp(line, ".") == 0) {
        str_copy(remark, size, _("A dot alone: this ends the text, and the message is sent."));
    } else if (line[0] == '.' && line[1] != '.') {
        str_copy(remark, size, _("The server takes away the first dot of a line; type it twice."));
    } else {
        str_copy(remark, size,
                 _("Message text. A dot alone in a line ends it; a line that begins "
                   "with a dot needs one more."));
    }
}

static void unknown_hint(const struct record *r, const char *line, struct typehint *out)
{
    for (size_t i = 0; i < typehint_verb_count; i++) {
        if (typehint_starts(typehint_verbs[i].name, line)) {
            return; /* may become one */
        }
    }
    if (r->session == SMTP_CLOSED) {
        str_copy(out->remark, sizeof(out->remark), state_sentence(r));
    } else {
        str_copy(out->remark, sizeof(out->remark),
                 _("No verb of SMTP that is known here; it is sent as it is."));
        (void)snprintf(out->likely, sizeof(out->likely), _("Likely answer: %s"), "500");
    }
}

/* What the server asked for, in words, and how it is answered. */
static void answer_hint(const struct record *r, unsigned mode, struct typehint *out)
{
    struct buf question;
    char shown[160] = "";
    const char *how = (mode & TYPEHINT_ENCODE) != 0
                          ? _("What you type becomes base64. * gives up.")
                          : _("Answer in base64, or :b64 TEXT. * gives up.");
    buf_init(&question, LINE_SHOWN_MAX);
    if (typehint_challenge(r, &question)) {
        escape_copy(shown, sizeof(shown), buf_str(&question), question.len, 0);
    }
    buf_free(&question);
    if (shown[0] == '\0') {
        str_copy(out->remark, sizeof(out->remark), how);
        return;
    }
    (void)snprintf(out->remark, sizeof(out->remark), _("The server asks: \"%s\""), shown);
    str_copy(out->likely, sizeof(out->likely), how);
}

static const char *odd_sentence(unsigned odd)
{
    if ((odd & RAW_BARE_LF) != 0) {
        return _("A line ends in LF alone.");
    }
    if ((odd & RAW_BARE_CR) != 0) {
        return _("There is a CR inside a line.");
    }
    if ((odd & RAW_NUL) != 0) {
        return _("There is a NUL.");
    }
    if ((odd & RAW_UNFINISHED) != 0) {
        return _("No line end behind the last byte.");
    }
    return (odd & RAW_EIGHT_BIT) != 0 ? _("There are bytes over 127.") : "";
}

/* What would go out, counted. */
static void raw_hint(const char *text, struct typehint *out)
{
    struct buf bytes;
    struct error error = {.text = ""};
    struct raw_line line;
    size_t at = 0;
    unsigned long lines = 0;
    unsigned odd = 0;
    buf_init(&bytes, SMTP_RAW_MAX);
    enum status st = raw_text_read(text, strlen(text), &bytes, &error);
    while (raw_next_line(buf_str(&bytes), bytes.len, &at, &line)) {
        odd |= line.odd;
        lines++;
    }
    if (st == ST_OK && bytes.len > 0) {
        unsigned long n = (unsigned long)bytes.len;
        (void)snprintf(
            out->grammar, sizeof(out->grammar),
            Q_("%lu byte in one packet, lines: %lu", "%lu bytes in one packet, lines: %lu", n), n,
            lines);
        str_copy(out->remark, sizeof(out->remark), odd_sentence(odd));
    } else if (st == ST_OK) {
        str_copy(out->remark, sizeof(out->remark),
                 _("Exact bytes: \\r\\n ends a line, \\x00 is a byte. :raw leaves this mode."));
    } else {
        str_copy(out->remark, sizeof(out->remark), error.text);
    }
    buf_wipe(&bytes);
}

static void macro_hint(const char *line, struct typehint *out)
{
    const char *args = "";
    enum macro_id id = macro_find(line, &args);
    if (id == MACRO_NONE) {
        enum macro_id near = strchr(line, ' ') != NULL ? macro_nearest(line) : MACRO_NONE;
        if (near != MACRO_NONE) {
            (void)snprintf(out->remark, sizeof(out->remark), _("Not known. Did you mean :%s?"),
                           macros[near].name);
        } else {
            str_copy(out->remark, sizeof(out->remark), _("Tab lists what can stand here."));
        }
        return;
    }
    if (id == MACRO_RAW && args[0] != '\0') {
        raw_hint(args, out);
        return;
    }
    (void)snprintf(out->grammar, sizeof(out->grammar), ":%s %s", macros[id].name, macros[id].args);
    str_copy(out->remark, sizeof(out->remark), _(macros[id].title));
}

/* What goes wrong is answered with these, by RFC 5321 4.2.4 and 4.1.1.11. */
struct fault {
    const char *code;
    char text[400];
};

static bool verb_fault(const struct record *r, unsigned mode, const struct verb *verb,
                       const char *line, struct fault *out)
{
    char *text = out->text;
    size_t size = sizeof(out->text);
    /* What concerns the line itself comes first; one remark is read, three are not. */
    if ((verb->path && path_fault(r, line, text, size)) || argument_fault(verb, line, text, size)) {
        out->code = "501";
        return true;
    }
    if (order_fault(r, mode, verb, text, size)) {
        out->code = r->session == SMTP_CLOSED ? NULL : "503";
        return true;
    }
    if (offer_fault(r, verb, text, size)) {
        out->code = "502";
        return true;
    }
    if (verb->path && parameter_fault(r, line, text, size)) {
        out->code = "555";
        return true;
    }
    if (auth_fault(r, line, text, size)) {
        out->code = NULL;
        return true;
    }
    if (strlen(line) > COMMAND_LINE_MAX) {
        (void)snprintf(text, size, _("The line is longer than %d bytes (RFC 5321)."),
                       COMMAND_LINE_MAX);
        out->code = "500";
        return true;
    }
    return false;
}

static void verb_hint(const struct record *r, unsigned mode, const struct verb *verb,
                      const char *line, struct typehint *out)
{
    struct fault fault = {.code = verb->likely, .text = ""};
    bool found = verb_fault(r, mode, verb, line, &fault);
    if (!verb->path || !parameter_grammar(line, out->grammar, sizeof(out->grammar))) {
        str_copy(out->grammar, sizeof(out->grammar), verb->grammar);
    }
    const char *waits = r->running != CHECK_NONE ? _("A step is running: Enter waits for it.") : "";
    (void)snprintf(out->remark, sizeof(out->remark), "%s%s%s", found ? fault.text : "",
                   found && waits[0] != '\0' ? "   " : "", waits);
    if (fault.code != NULL) {
        (void)snprintf(out->likely, sizeof(out->likely), _("Likely answer: %s"), fault.code);
    }
}

void typehint_hint(const struct record *r, unsigned mode, const char *line, struct typehint *out)
{
    memset(out, 0, sizeof(*out));
    if (typehint_is_macro(r, mode, line)) {
        macro_hint(line, out);
        return;
    }
    if ((mode & TYPEHINT_RAW) != 0 && r->session != SMTP_CLOSED) {
        raw_hint(line, out);
        return;
    }
    if (r->expects_text) {
        text_hint(line, out);
        return;
    }
    if (r->session == SMTP_CONTINUATION) {
        answer_hint(r, mode, out);
        return;
    }
    const struct verb *verb = typehint_verb(line);
    if (verb == NULL) {
        unknown_hint(r, line, out);
    } else {
        verb_hint(r, mode, verb, line, out);
    }
}
