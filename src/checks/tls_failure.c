#include "tls_failure.h"

#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "control.h"

#define DH_BITS_MIN 2048

struct row {
    enum tls_reason reason;
    const char *id;
};

static const struct row rows[] = {
    {TLS_REASON_NOT_TLS, "tls.starttls.not_tls"},
    {TLS_REASON_OLD_PROTOCOL, "tls.starttls.old_protocol"},
    {TLS_REASON_NO_SHARED_CIPHER, "tls.starttls.no_cipher"},
    {TLS_REASON_CLIENT_CERT, "tls.starttls.client_cert"},
    {TLS_REASON_UNKNOWN_NAME, "tls.starttls.unknown_name"},
    {TLS_REASON_CLOSED, "tls.starttls.closed"},
    {TLS_REASON_TIMEOUT, "tls.starttls.timeout"},
    {TLS_REASON_HANDSHAKE, "tls.starttls.handshake"},
};

enum status tls_facts_keep(struct check_context *c)
{
    if (c->facts.tls == NULL) {
        c->facts.tls = malloc(sizeof(*c->facts.tls));
    }
    if (c->facts.tls == NULL) {
        return ST_NOMEM;
    }
    *c->facts.tls = c->smtp.tls_facts;
    c->facts.tls_tried = true;
    return ST_OK;
}

static const char *failure_id(enum tls_reason reason, enum status status)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].reason == reason) {
            return rows[i].id;
        }
    }
    switch (status) {
    case ST_EOF:
    case ST_RESET:
        return "tls.starttls.closed";
    case ST_TIMEOUT:
        return "tls.starttls.timeout";
    default:
        return "tls.starttls.handshake";
    }
}

/* Failures that name no cause, and behind which a device on the way may stand. */
static bool worth_a_control(enum tls_reason reason)
{
    return reason == TLS_REASON_CLOSED || reason == TLS_REASON_TIMEOUT ||
           reason == TLS_REASON_HANDSHAKE || reason == TLS_REASON_UNKNOWN_NAME;
}

/* ST_OK, or what ends the run. */
static enum status add_control(struct check_context *c, struct finding *f, enum tls_reason reason)
{
    const char *word = NULL;
    uint32_t line = 0;
    finding_arg(f, "works", "");
    /* Who types says himself what is tried next. */
    if (c->typed || !worth_a_control(reason)) {
        return ST_OK;
    }
    enum status st = control_handshake(c, &word, &line);
    if (st == ST_OK) {
        finding_arg_word(f, "works", word);
        finding_evidence(f, line);
    }
    return st == ST_CANCELLED || st == ST_NOMEM ? st : ST_OK;
}

enum verdict tls_failure_report(struct check_context *c, enum status status,
                                const struct error *error, uint32_t line)
{
    struct finding f;
    const struct tls_facts *facts = &c->smtp.tls_facts;
    /* ST_INVALID: our own certificate or trust file is unusable, and nothing was sent. */
    if (status == ST_CANCELLED || status == ST_NOMEM || status == ST_INVALID) {
        return check_gave_up(c, status, error->text);
    }
    finding_init(&f, failure_id(facts->reason, status));
    if (facts->reason == TLS_REASON_NOT_TLS && facts->first_bytes_len > 0) {
        finding_arg_span(&f, "detail", facts->first_bytes, facts->first_bytes_len);
    } else {
        finding_arg(&f, "detail", facts->detail[0] != '\0' ? facts->detail : error->text);
    }
    finding_arg(&f, "name", facts->sni[0] != '\0' ? facts->sni : c->tls_name);
    finding_argf(&f, "seconds", "%d", c->smtp.limits.tls / 1000);
    finding_argf(&f, "port", "%u", c->facts.address.port);
    finding_evidence(&f, line);
    if (c->tls_line != line) {
        finding_evidence(&f, c->tls_line);
    }
    enum status st = add_control(c, &f, facts->reason);
    if (st != ST_OK) {
        finding_free(&f);
        return check_gave_up(c, st, NULL);
    }
    return check_report(c, &f);
}

bool tls_wanted_certificate(struct check_context *c, enum status status, enum verdict *verdict)
{
    struct finding f;
    const struct tls_facts *facts = c->facts.tls;
    bool broke = status == ST_TLS || status == ST_EOF || status == ST_RESET;
    if (!broke || facts == NULL || !facts->done || !facts->client_cert_requested ||
        c->plan->cert_file != NULL) {
        return false;
    }
    finding_init(&f, "tls.starttls.client_cert");
    f.confidence = CONFIDENCE_LIKELY;
    finding_evidence(&f, c->tls_line);
    finding_evidence(&f, c->smtp.last_client_line);
    *verdict = check_report(c, &f);
    return true;
}

enum verdict tls_old_version(struct check_context *c, uint32_t line)
{
    static const char *const old[] = {"SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1"};
    struct finding f;
    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        if (strcmp(c->smtp.tls_facts.version, old[i]) == 0) {
            finding_init(&f, "tls.starttls.old_version");
            finding_arg(&f, "version", old[i]);
            finding_evidence(&f, line);
            return check_report(c, &f);
        }
    }
    return VERDICT_OK;
}

/* OpenSSL's names of ciphers that RFC 9325 4.1 rules out. */
static bool cipher_is_weak(const char *cipher)
{
    static const char *const parts[] = {"RC4", "DES", "NULL", "EXP", "MD5", "ADH", "AECDH", "IDEA"};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strstr(cipher, parts[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* RFC 9325 4.1: not under 2048 bits. */
static bool group_is_weak(const char *group)
{
    return strncmp(group, "DH ", 3) == 0 && strtol(group + 3, NULL, 10) < DH_BITS_MIN;
}

enum verdict tls_weak(struct check_context *c, uint32_t line)
{
    struct finding f;
    const struct tls_facts *facts = &c->smtp.tls_facts;
    bool cipher = cipher_is_weak(facts->cipher);
    bool group = group_is_weak(facts->group);
    if (!cipher && !group) {
        return VERDICT_OK;
    }
    finding_init(&f, "tls.starttls.weak");
    finding_arg(&f, "cipher", facts->cipher);
    finding_arg(&f, "group", group ? facts->group : "");
    finding_evidence(&f, line);
    return check_report(c, &f);
}
