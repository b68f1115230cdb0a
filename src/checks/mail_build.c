#include "mail_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compose.h"
#include "envelope.h"
#include "escape.h"
#include "message_scan.h"
#include "text.h"

/* An attachment of PLAN_MESSAGE_MAX in base64, and the text around it. */
#define BUILT_MAX (PLAN_MESSAGE_MAX / 3 * 4 + PLAN_MESSAGE_MAX / 8 + (1u << 20))
#define BODY_MAX (64 * 1024)
#define EICAR_NAME "eicar.com"
#define PARAM_SHOWN 100

void mail_draft_init(struct mail_draft *d)
{
    memset(d, 0, sizeof(*d));
    buf_init(&d->built, BUILT_MAX);
    buf_init(&d->message_id, 2 * ADDRESS_MAX);
}

void mail_draft_free(struct mail_draft *d)
{
    buf_free(&d->built);
    buf_free(&d->message_id);
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

/* Who is logged in may send as himself; else the name that we gave has to serve. */
static void choose_sender(const struct check_context *c, struct mail_draft *d)
{
    struct error unused;
    const char *user = c->plan->auth_user;
    if (c->plan->from != NULL) {
        str_copy(d->sender, sizeof(d->sender), c->plan->from);
    } else if (c->smtp.authenticated && user != NULL && strchr(user, '@') != NULL &&
               address_check(user, false, true, &unused) == ST_OK) {
        str_copy(d->sender, sizeof(d->sender), user);
    } else {
        snprintf(d->sender, sizeof(d->sender), "postmaster@%s", c->ehlo_name);
    }
}

/* What is odd about a message that was written elsewhere; nothing is repaired but line ends. */
static void note_file(struct check_context *c, const struct mail_draft *d,
                      const struct message_scan *scan)
{
    char missing[64];
    const char *name = c->plan->message_name != NULL ? c->plan->message_name : "";
    check_note(c, _("The message comes from the file %s: %zu octets"), name, d->text.len);
    message_scan_missing(scan, missing, sizeof(missing));
    if (missing[0] != '\0') {
        check_note(c, _("Headers that the message lacks, and that are not added: %s"), missing);
    }
    if (scan->bare_ends > 0 && !d->binary) {
        check_note(c,
                   Q_("%zu line end that is no CRLF is sent as one",
                      "%zu line ends that are no CRLF are sent as one", scan->bare_ends),
                   scan->bare_ends);
    }
    if (scan->long_lines > 0) {
        check_note(c,
                   Q_("%zu line is longer than 998 octets (RFC 5322, section 2.1.1)",
                      "%zu lines are longer than 998 octets (RFC 5322, section 2.1.1)",
                      scan->long_lines),
                   scan->long_lines);
    }
    if (scan->eight_bit && !caps_has(&c->smtp.caps, CAP_8BITMIME)) {
        check_note(c, _("The message has octets over 127, and the server does not offer 8BITMIME"));
    }
}

static bool asks_for_binary(const struct plan *p)
{
    static const char word[] = "BODY=BINARYMIME";
    const char *params = p->mail_params != NULL ? p->mail_params : "";
    while (*params != '\0') {
        params += strspn(params, " ");
        size_t n = strcspn(params, " ");
        if (span_equal_nocase((struct span){params, n}, word)) {
            return true;
        }
        params += n;
    }
    return false;
}

static enum status from_file(struct check_context *c, struct mail_draft *d, struct error *error)
{
    struct message_scan scan;
    const struct plan_bytes *file = &c->plan->message;
    d->text = (struct span){file->p, file->len};
    message_scan(file->p, file->len, &scan);
    d->binary = asks_for_binary(c->plan) && c->plan->chunk > 0;
    d->octets = d->binary ? file->len : scan.wire_octets;
    d->eight_bit = scan.eight_bit;
    note_file(c, d, &scan);
    if (scan.nul && !d->binary) {
        return error_set(error, ST_INVALID, 0,
                         _("The message holds a NUL, which only BODY=BINARYMIME with BDAT can "
                           "carry."));
    }
    return buf_add_str(&d->message_id, scan.id);
}

static enum status body_with_sample(const struct check_context *c, struct buf *body)
{
    enum status st = buf_add_str(body, compose_standard_body());
    if (st == ST_OK && c->plan->sample == SAMPLE_GTUBE) {
        st = buf_add_char(body, '\n');
        st = st == ST_OK ? sample_add(SAMPLE_GTUBE, body) : st;
        st = st == ST_OK ? buf_add_char(body, '\n') : st;
    }
    return st;
}

static enum status built_in(struct check_context *c, struct mail_draft *d, struct error *error)
{
    char run_id[32];
    uint64_t random;
    struct buf body, virus;
    struct mime_part parts[2];
    size_t count = 0;
    const struct plan *p = c->plan;
    net_random(c->net, &random, sizeof(random));
    snprintf(run_id, sizeof(run_id), "%016" PRIx64, random);
    net_random(c->net, &random, sizeof(random));
    buf_init(&body, BODY_MAX);
    buf_init(&virus, BODY_MAX);
    enum status st = body_with_sample(c, &body);
    if (st == ST_OK && p->sample == SAMPLE_EICAR) {
        st = sample_add(SAMPLE_EICAR, &virus);
        parts[count++] =
            (struct mime_part){.name = EICAR_NAME, .p = buf_str(&virus), .len = virus.len};
    }
    if (p->attach.p != NULL) {
        parts[count++] =
            (struct mime_part){.name = p->attach_name != NULL ? p->attach_name : "attachment",
                               .p = p->attach.p,
                               .len = p->attach.len};
    }
    const struct compose_message message = {
        .from = d->sender,
        .to = d->recipient,
        .subject = p->subject != NULL ? p->subject : _("Test mail from smtpscope"),
        .helo = c->ehlo_name,
        .run_id = run_id,
        .body = buf_str(&body),
        .parts = parts,
        .part_count = count,
        .wall_us = net_wall_us(c->net),
        .random = random,
    };
    if (st == ST_OK) {
        st = compose_build(&message, &d->built, &d->message_id, &d->eight_bit, error);
    }
    d->text = (struct span){buf_str(&d->built), d->built.len};
    d->octets = d->built.len;
    buf_free(&body);
    buf_free(&virus);
    return st;
}

enum status mail_draft_write(struct check_context *c, struct mail_draft *d, struct error *error)
{
    choose_sender(c, d);
    d->recipient = c->plan->to;
    d->utf8 = !is_ascii(d->sender) || !is_ascii(d->recipient);
    if (c->plan->message.p == NULL) {
        return built_in(c, d, error);
    }
    struct error bad;
    if (address_check(d->sender, true, true, &bad) != ST_OK ||
        address_check(d->recipient, false, true, &bad) != ST_OK) {
        return error_set(error, ST_INVALID, 0, "%s", bad.text);
    }
    return from_file(c, d, error);
}

/* The plan names the parameter itself. */
static bool is_wished(const char *params, const char *name)
{
    const char *p = params != NULL ? params : "";
    while (*p != '\0') {
        p += strspn(p, " ");
        size_t n = strcspn(p, " ");
        const struct envelope_param *known = envelope_find((struct span){p, n});
        if (known != NULL && strcmp(known->name, name) == 0) {
            return true;
        }
        p += n;
    }
    return false;
}

/* RFC 5321 4.1.1.11: by ourselves, only what the server offered. */
static enum status own_params(const struct check_context *c, const struct mail_draft *d,
                              struct buf *out)
{
    const struct caps *caps = &c->smtp.caps;
    const char *wished = c->plan->mail_params;
    enum status st = ST_OK;
    if (caps_has(caps, CAP_SIZE) && !is_wished(wished, "SIZE")) {
        st = buf_addf(out, " SIZE=%zu", d->octets);
    }
    if (st == ST_OK && d->eight_bit && caps_has(caps, CAP_8BITMIME) && !is_wished(wished, "BODY")) {
        st = buf_add_str(out, " BODY=8BITMIME");
    }
    if (st == ST_OK && d->utf8 && caps_has(caps, CAP_SMTPUTF8) && !is_wished(wished, "SMTPUTF8")) {
        st = buf_add_str(out, " SMTPUTF8");
    }
    return st;
}

static void note_params(struct check_context *c, enum envelope_command command, const char *params)
{
    const char *p = params != NULL ? params : "";
    while (*p != '\0') {
        struct error why = {.text = ""};
        char shown[PARAM_SHOWN];
        p += strspn(p, " ");
        struct span param = {p, strcspn(p, " ")};
        p += param.len;
        if (param.len > 0 &&
            envelope_judge(command, param, &c->smtp.caps, c->smtp.tls, &why) != ENVELOPE_GOOD) {
            escape_copy(shown, sizeof(shown), param.p, param.len, 0);
            check_note(c, _("%s is sent all the same. %s"), shown, why.text);
        }
    }
}

static enum status put_command(char out[MAIL_COMMAND_MAX], const struct buf *line)
{
    if (line->len >= MAIL_COMMAND_MAX) {
        return ST_LIMIT;
    }
    memcpy(out, buf_str(line), line->len + 1);
    return ST_OK;
}

enum status mail_draft_commands(struct check_context *c, struct mail_draft *d)
{
    struct buf params, line;
    const struct plan *p = c->plan;
    buf_init(&params, MAIL_COMMAND_MAX);
    buf_init(&line, MAIL_COMMAND_MAX);
    note_params(c, ENVELOPE_MAIL, p->mail_params);
    note_params(c, ENVELOPE_RCPT, p->rcpt_params);
    enum status st = own_params(c, d, &params);
    if (st == ST_OK && p->mail_params != NULL) {
        st = buf_addf(&params, " %s", p->mail_params);
    }
    if (st == ST_OK) {
        st = envelope_line(ENVELOPE_MAIL, d->sender, buf_str(&params), &line);
    }
    if (st == ST_OK) {
        st = put_command(d->commands[0], &line);
    }
    buf_clear(&line);
    if (st == ST_OK) {
        st = envelope_line(ENVELOPE_RCPT, d->recipient, p->rcpt_params, &line);
    }
    if (st == ST_OK) {
        st = put_command(d->commands[1], &line);
    }
    buf_free(&params);
    buf_free(&line);
    return st;
}
