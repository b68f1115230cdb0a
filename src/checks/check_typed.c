#include "check_typed.h"

#include <stdlib.h>
#include <string.h>

#include "check_judge.h"
#include "check_tools.h"
#include "envelope.h"
#include "sasl.h"
#include "tls_failure.h"

/* The step that would have sent the same, or CHECK_NONE. */
static enum check_id step_of(enum smtp_verb verb)
{
    switch (verb) {
    case VERB_GREETING:
        return CHECK_BANNER;
    case VERB_EHLO:
    case VERB_HELO:
    case VERB_LHLO:
        return CHECK_EHLO;
    case VERB_STARTTLS:
        return CHECK_STARTTLS;
    case VERB_AUTH:
    case VERB_AUTH_LINE:
        return CHECK_AUTH;
    case VERB_MAIL:
    case VERB_RCPT:
    case VERB_DATA:
    case VERB_DOT:
    case VERB_BDAT:
    case VERB_BDAT_LAST:
        return CHECK_SEND;
    default:
        return CHECK_NONE;
    }
}

static enum smtp_wait wait_of(enum smtp_verb verb)
{
    switch (verb) {
    case VERB_EHLO:
    case VERB_HELO:
    case VERB_LHLO:
        return WAIT_EHLO;
    case VERB_STARTTLS:
        return WAIT_STARTTLS;
    case VERB_AUTH:
    case VERB_AUTH_LINE:
        return WAIT_AUTH;
    case VERB_MAIL:
        return WAIT_MAIL;
    case VERB_RCPT:
        return WAIT_RCPT;
    case VERB_DATA:
    case VERB_BDAT:
        return WAIT_DATA;
    case VERB_DOT:
    case VERB_BDAT_LAST:
        return WAIT_DOT;
    default:
        return WAIT_OTHER;
    }
}

/* RFC 3463 3.6, RFC 5321 4.2.4: the server complains of how the command was put, or of its place.
 */
static bool is_slip(const struct reply *r)
{
    if (r->enhanced[0] != '\0') {
        return strncmp(r->enhanced + 1, ".5.", 3) == 0;
    }
    return r->code >= 500 && r->code <= 504;
}

static void copy_address(char out[ADDRESS_TEXT], const char *line, size_t len)
{
    struct span address = {"", 0};
    bool found = envelope_address((struct span){line, len}, &address);
    size_t n = found && address.len < ADDRESS_TEXT ? address.len : 0;
    memcpy(out, address.p, n);
    out[n] = '\0';
}

static struct span argument(const char *line, size_t len)
{
    size_t at = 0;
    while (at < len && line[at] != ' ') {
        at++;
    }
    while (at < len && line[at] == ' ') {
        at++;
    }
    return (struct span){line + at, len - at};
}

static void typed_hello(struct check_context *c, const char *line, size_t len,
                        const struct reply *r)
{
    struct span name = argument(line, len);
    char *given = str_ndup(name.p, name.len);
    if (given == NULL) {
        return;
    }
    if (r->code / 100 == 2) {
        c->typed_helo = c->smtp.typed.verb == VERB_HELO;
        enum status st = str_set(&c->facts.ehlo_name, given);
        (void)st; /* without it the screen says less */
    } else if (r->code >= 400 && name.len > 0 && !(c->smtp.typed.verb == VERB_LHLO && is_slip(r))) {
        judge_hello(c, r, given);
    }
    free(given);
}

/* `line` is what the handshake began with. */
static void after_handshake(struct check_context *c, enum status st, const struct error *error,
                            uint32_t line)
{
    if (tls_facts_keep(c) != ST_OK) {
        return;
    }
    if (st != ST_OK) {
        check_facts_changed(c);
        tls_failure_report(c, st, error, line);
        return;
    }
    bool implicit = strcmp(c->facts.mode, "implicit") == 0;
    if (!implicit) {
        str_copy(c->facts.mode, sizeof(c->facts.mode), "starttls");
    }
    check_facts_changed(c);
    judge_encrypted(c, implicit ? "tls.starttls.implicit" : "tls.starttls.ok", c->tls_line);
    c->current = &checks[CHECK_CERTIFICATE];
    judge_certificate(c);
}

static void typed_starttls(struct check_context *c, enum status st, const struct reply *r,
                           const struct error *error)
{
    const struct smtp_typed *t = &c->smtp.typed;
    if (t->injected > 0) {
        judge_injected(c, r, t->injected, c->odd_text, strlen(c->odd_text));
        return;
    }
    if (!t->handshake) {
        /* Where it was not offered, refusing it is right. */
        if (r->code == 454 || caps_has(&c->smtp.caps, CAP_STARTTLS)) {
            judge_starttls(c, r);
        }
        return;
    }
    after_handshake(c, st, error, r->line_count > 0 ? r->lines[0].number : r->command_line);
}

static void typed_login(struct check_context *c, const char *line, size_t len,
                        const struct reply *r)
{
    bool taken_back = c->smtp.typed.verb == VERB_AUTH_LINE && len == 1 && line[0] == '*';
    enum sasl_mech mech = (enum sasl_mech)c->smtp.auth_mech;
    if (r->code / 100 == 3 || taken_back || (r->code != 235 && is_slip(r))) {
        return;
    }
    if (r->code == 235) {
        c->facts.authenticated = true;
        check_facts_changed(c);
    }
    judge_login(c, NULL, mech != MECH_NONE ? sasl_mech_name(mech) : "AUTH",
                sasl_mech_is_oauth(mech), r);
}

static void typed_mail(struct check_context *c, const char *line, size_t len, const struct reply *r)
{
    enum smtp_verb verb = c->smtp.typed.verb;
    bool good = r->code / 100 == 2 || (verb == VERB_DATA && r->code / 100 == 3);
    bool end = verb == VERB_DOT || verb == VERB_BDAT_LAST;
    bool chunk = verb == VERB_BDAT || verb == VERB_BDAT_LAST;
    bool promised = chunk && caps_has(&c->smtp.caps, CAP_CHUNKING);
    if (verb == VERB_MAIL) {
        copy_address(c->typed_sender, line, len);
        c->typed_recipient[0] = '\0';
    } else if (verb == VERB_RCPT && (good || c->typed_recipient[0] == '\0')) {
        copy_address(c->typed_recipient, line, len);
    }
    struct mail_subject subject = {.sender = c->typed_sender, .recipient = c->typed_recipient};
    char refused[ADDRESS_TEXT];
    if (verb == VERB_RCPT && !good) {
        copy_address(refused, line, len);
        subject.recipient = refused;
    }
    if (good && end) {
        judge_mail_accepted(c, r, &subject);
        check_facts_changed(c);
    } else if (!good && r->code >= 400 && (!is_slip(r) || promised)) {
        enum mail_stage stage = verb == VERB_MAIL   ? MAIL_STAGE_MAIL
                                : verb == VERB_RCPT ? MAIL_STAGE_RCPT
                                : verb == VERB_DATA ? MAIL_STAGE_DATA
                                : chunk             ? MAIL_STAGE_CHUNK
                                                    : MAIL_STAGE_END;
        judge_mail_refused(c, stage, r, &subject);
    }
}

static void judge(struct check_context *c, const char *line, size_t len, enum status st,
                  const struct reply *r, const struct error *error)
{
    enum smtp_verb verb = c->smtp.typed.verb;
    if (verb == VERB_STARTTLS && (c->smtp.typed.handshake || c->smtp.typed.injected > 0)) {
        typed_starttls(c, st, r, error);
        return;
    }
    if (!check_replied(st, r)) {
        if (st != ST_CANCELLED && st != ST_INVALID && st != ST_NOMEM) {
            check_broken(c, st, wait_of(verb), r);
        }
        return;
    }
    switch (c->current->id) {
    case CHECK_EHLO:
        typed_hello(c, line, len, r);
        break;
    case CHECK_STARTTLS:
        typed_starttls(c, st, r, error);
        break;
    case CHECK_AUTH:
        typed_login(c, line, len, r);
        break;
    default:
        typed_mail(c, line, len, r);
        break;
    }
}

void check_typed(struct check_context *c, const char *line, size_t len, enum status status,
                 const struct reply *reply, const struct error *error)
{
    const struct check *before = c->current;
    enum check_id id = step_of(c->smtp.typed.verb);
    if (id == CHECK_NONE || !c->smtp.typed.sent || (status == ST_OK && reply->line_count == 0)) {
        return;
    }
    c->current = &checks[id];
    c->typed = true;
    judge(c, line, len, status, reply, error);
    c->typed = false;
    c->current = before;
}

void check_handshake(struct check_context *c, enum status status, const struct error *error)
{
    const struct check *before = c->current;
    if (status == ST_INVALID || status == ST_CANCELLED || status == ST_NOMEM) {
        return;
    }
    c->current = &checks[CHECK_STARTTLS];
    c->typed = true;
    after_handshake(c, status, error, c->tls_line);
    c->typed = false;
    c->current = before;
}
