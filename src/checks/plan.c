#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "compose.h"
#include "escape.h"
#include "sasl.h"
#include "text.h"
#include "xclient.h"

#define PORT_SMTP 25
#define PORT_LMTP 24 /* RFC 2033 5: never 25; this one is what servers are set to */
#define PORT_SUBMISSIONS 465

#define PLAN_SUBJECT_MAX 998 /* RFC 5322 2.1.1 */
#define PLAN_USER_MAX 1024
#define PLAN_PARAMS_MAX 2048

/* Where the strings of a plan lie, so that copying and freeing cannot forget one. */
static const size_t plan_strings[] = {
    offsetof(struct plan, input),        offsetof(struct plan, domain),
    offsetof(struct plan, domain_shown), offsetof(struct plan, host),
    offsetof(struct plan, helo),         offsetof(struct plan, from),
    offsetof(struct plan, to),           offsetof(struct plan, subject),
    offsetof(struct plan, ca_file),      offsetof(struct plan, cert_file),
    offsetof(struct plan, key_file),     offsetof(struct plan, auth_user),
    offsetof(struct plan, auth_mech),    offsetof(struct plan, message_name),
    offsetof(struct plan, attach_name),  offsetof(struct plan, mail_params),
    offsetof(struct plan, rcpt_params),  offsetof(struct plan, xclient),
};

static char **string_at(struct plan *p, size_t i)
{
    return (char **)(void *)((char *)p + plan_strings[i]);
}

const char *plan_tls_name(enum plan_tls tls)
{
    switch (tls) {
    case PLAN_TLS_STARTTLS:
        return "starttls";
    case PLAN_TLS_IMPLICIT:
        return "implicit";
    case PLAN_TLS_NONE:
        return "none";
    case PLAN_TLS_AUTO:
        break;
    }
    return "auto";
}

void plan_init(struct plan *p)
{
    memset(p, 0, sizeof(*p));
    p->limits = smtp_limits_rfc5321;
}

void plan_free(struct plan *p)
{
    for (size_t i = 0; i < ARRAY_LEN(plan_strings); i++) {
        free(*string_at(p, i));
    }
    free(p->message.p);
    free(p->attach.p);
    secret_free(&p->password);
    plan_init(p);
}

void plan_take_bytes(struct plan_bytes *slot, struct buf *b)
{
    free(slot->p);
    *slot = (struct plan_bytes){b->p, b->len};
    buf_init(b, b->max);
    if (slot->p == NULL) {
        slot->p = calloc(1, 1); /* an empty file is one as well */
    }
}

enum status plan_copy_bytes(struct plan_bytes *dst, const struct plan_bytes *src)
{
    char *copy = NULL;
    if (src->p != NULL) {
        copy = malloc(src->len + 1);
        if (copy == NULL) {
            return ST_NOMEM;
        }
        memcpy(copy, src->p, src->len);
        copy[src->len] = '\0';
    }
    free(dst->p);
    *dst = (struct plan_bytes){copy, src->p != NULL ? src->len : 0};
    return ST_OK;
}

enum status plan_copy(struct plan *dst, const struct plan *src)
{
    *dst = *src;
    memset(&dst->password, 0, sizeof(dst->password));
    memset(&dst->message, 0, sizeof(dst->message));
    memset(&dst->attach, 0, sizeof(dst->attach));
    for (size_t i = 0; i < ARRAY_LEN(plan_strings); i++) {
        *string_at(dst, i) = NULL;
    }
    enum status st = ST_OK;
    for (size_t i = 0; i < ARRAY_LEN(plan_strings) && st == ST_OK; i++) {
        st = str_set(string_at(dst, i),
                     *(char *const *)(const void *)((const char *)src + plan_strings[i]));
    }
    if (st == ST_OK) {
        st = plan_copy_bytes(&dst->message, &src->message);
    }
    if (st == ST_OK) {
        st = plan_copy_bytes(&dst->attach, &src->attach);
    }
    if (st == ST_OK && secret_is_set(&src->password)) {
        st = secret_copy(&dst->password, &src->password);
    }
    if (st != ST_OK) {
        plan_free(dst);
    }
    return st;
}

uint16_t plan_port(const struct plan *p)
{
    if (p->port != 0) {
        return p->port;
    }
    if (p->lmtp) {
        return PORT_LMTP;
    }
    return p->tls == PLAN_TLS_IMPLICIT ? PORT_SUBMISSIONS : PORT_SMTP;
}

enum plan_tls plan_tls_effective(const struct plan *p)
{
    if (p->tls != PLAN_TLS_AUTO) {
        return p->tls;
    }
    return plan_port(p) == PORT_SUBMISSIONS ? PLAN_TLS_IMPLICIT : PLAN_TLS_STARTTLS;
}

/* Position, counted from 1, of the first byte that would end a line or a string; 0 when there is
 * none. */
static size_t control_position(const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < ' ' || c == 0x7f) {
            return i + 1;
        }
    }
    return 0;
}

/* What people may type into a field that travels inside a command or a header. */
struct field {
    const char *name; /* as in the form */
    const char *value;
    size_t max;
    bool no_blanks;
};

static enum status check_fields(const struct field *fields, size_t count, struct error *error)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        if (f->value == NULL) {
            continue;
        }
        size_t at = control_position(f->value);
        if (at != 0) {
            return error_set(error, ST_INVALID, 0,
                             _("%s: the character at position %zu is a control character; it would "
                               "start another line and is not sent."),
                             _(f->name), at);
        }
        const char *blank = f->no_blanks ? strchr(f->value, ' ') : NULL;
        if (blank != NULL) {
            return error_set(error, ST_INVALID, 0, _("%s: there is a blank at position %zu."),
                             _(f->name), (size_t)(blank - f->value) + 1);
        }
        if (strlen(f->value) > f->max) {
            return error_set(error, ST_INVALID, 0,
                             _("%s: %zu bytes are too long, %zu are allowed."), _(f->name),
                             strlen(f->value), f->max);
        }
    }
    return ST_OK;
}

static enum status check_mailbox(const char *name, const char *address, bool empty_ok,
                                 struct error *error)
{
    struct error why = {0};
    if (address == NULL || address_check(address, empty_ok, true, &why) == ST_OK) {
        return ST_OK;
    }
    return error_set(error, ST_INVALID, 0, "%s: %s", name, why.text);
}

static enum status check_addresses(const struct plan *p, struct error *error)
{
    struct net_address literal = {0};
    bool named_address = p->host != NULL && net_address_parse(p->host, &literal);
    if (named_address && p->family != 0 && literal.family != p->family) {
        return error_set(error, ST_INVALID, 0,
                         _("The target is an IPv%d address, but only IPv%d may be used."),
                         literal.family, p->family);
    }
    if (p->source.family != 0 && p->family != 0 && p->source.family != p->family) {
        return error_set(error, ST_INVALID, 0,
                         _("The source is an IPv%d address, but only IPv%d may be used."),
                         p->source.family, p->family);
    }
    if (p->source.family != 0 && named_address && p->source.family != literal.family) {
        return error_set(error, ST_INVALID, 0,
                         _("The source is an IPv%d address and the target an IPv%d address: no "
                           "connection is possible between them."),
                         p->source.family, literal.family);
    }
    if (p->proxy.source.family != 0 && p->family != 0 && p->proxy.source.family != p->family) {
        return error_set(error, ST_INVALID, 0,
                         _("The client in the proxy header is an IPv%d address, but only IPv%d may "
                           "be used."),
                         p->proxy.source.family, p->family);
    }
    return ST_OK;
}

static enum status check_login(const struct plan *p, struct error *error)
{
    enum sasl_mech mech = p->auth_mech != NULL ? sasl_mech_find(p->auth_mech) : MECH_NONE;
    if (p->auth_mech != NULL && mech == MECH_NONE) {
        char shown[64];
        escape_copy(shown, sizeof(shown), p->auth_mech, strlen(p->auth_mech), 0);
        return error_set(
            error, ST_INVALID, 0,
            _("\"%s\" is no login mechanism of this program. It knows EXTERNAL, "
              "SCRAM-SHA-256, SCRAM-SHA-1 (both also with -PLUS), OAUTHBEARER, XOAUTH2, "
              "CRAM-MD5, PLAIN and LOGIN."),
            shown);
    }
    if (!p->auth_wanted || mech == MECH_EXTERNAL) {
        return ST_OK;
    }
    if (p->auth_user == NULL || p->auth_user[0] == '\0') {
        return error_set(error, ST_INVALID, 0, _("Logging in needs a user name."));
    }
    if (!secret_is_set(&p->password)) {
        return error_set(error, ST_INVALID, 0, _("Logging in needs a password."));
    }
    return ST_OK;
}

/* A file goes out as it is, so nothing can be put into it. */
static enum status check_message(const struct plan *p, struct error *error)
{
    if (p->message.p != NULL &&
        (p->attach.p != NULL || p->sample != SAMPLE_NONE || p->subject != NULL)) {
        return error_set(error, ST_INVALID, 0,
                         _("A message from a file is sent as it is: a subject, an attachment or a "
                           "sample text belong to the built-in message."));
    }
    return ST_OK;
}

static enum status check_identity(const struct plan *p, struct error *error)
{
    struct buf line;
    enum status st = ST_OK;
    buf_init(&line, 4 * XCLIENT_LINE_MAX);
    if (p->xclient != NULL) {
        st = xclient_line(p->xclient, &line, error);
    }
    buf_free(&line);
    return st;
}

static bool limits_are_sane(const struct smtp_limits *l)
{
    return l->connect > 0 && l->banner > 0 && l->ehlo > 0 && l->starttls > 0 && l->tls > 0 &&
           l->auth > 0 && l->mail > 0 && l->rcpt > 0 && l->data > 0 && l->block > 0 && l->dot > 0 &&
           l->quit > 0 && l->other > 0;
}

enum status plan_validate(const struct plan *p, struct error *error)
{
    const struct field fields[] = {
        {N_("EHLO name"), p->helo, DNS_HOST_NAME_MAX, true},
        {N_("Subject"), p->subject, PLAN_SUBJECT_MAX, false},
        {N_("User"), p->auth_user, PLAN_USER_MAX, false},
        {N_("Parameters of MAIL"), p->mail_params, PLAN_PARAMS_MAX, false},
        {N_("Parameters of RCPT"), p->rcpt_params, PLAN_PARAMS_MAX, false},
    };
    if (p->domain == NULL && p->host == NULL) {
        return error_set(error, ST_INVALID, 0,
                         _("There is no target. Name a domain, a host or an address."));
    }
    enum status st = check_fields(fields, ARRAY_LEN(fields), error);
    if (st == ST_OK && p->helo != NULL && p->helo[0] == '\0') {
        st = error_set(error, ST_INVALID, 0, _("EHLO name: it is empty."));
    }
    if (st == ST_OK) {
        st = check_addresses(p, error);
    }
    if (st == ST_OK) {
        st = check_mailbox(_("Sender"), p->from, true, error);
    }
    if (st == ST_OK) {
        st = check_mailbox(_("Recipient"), p->to, false, error);
    }
    if (st == ST_OK && p->send_consent && !p->read_only && p->to == NULL) {
        st = error_set(error, ST_INVALID, 0, _("A test mail needs a recipient."));
    }
    if (st == ST_OK) {
        st = check_message(p, error);
    }
    if (st == ST_OK) {
        st = check_identity(p, error);
    }
    if (st == ST_OK) {
        st = check_login(p, error);
    }
    if (st == ST_OK && p->key_file != NULL && p->cert_file == NULL) {
        st = error_set(error, ST_INVALID, 0,
                       _("A key file without a certificate file is of no use; name both."));
    }
    if (st == ST_OK && (p->deadline_s < 0 || !limits_are_sane(&p->limits))) {
        st = error_set(error, ST_INVALID, 0, _("Time limits have to be longer than nothing."));
    }
    return st;
}
