#include "check_judge.h"

#include <inttypes.h>
#include <string.h>

#include "check_tools.h"
#include "queue_id.h"

/* Not all servers use 530 for it. */
static bool wants_login(const struct reply_verdict *why)
{
    return why->cause != NULL && strcmp(why->cause->id, "reply.auth.required") == 0;
}

/* What any command may be refused for; NULL when it is this command's own matter. */
static const char *common_id(const struct reply *r, const struct reply_verdict *why)
{
    enum reply_class class = why->cause != NULL ? why->cause->class : CLASS_NONE;
    if (check_wants_tls(why)) {
        return "smtp.send.tls_required";
    }
    if (r->code == 530 || wants_login(why)) {
        return "smtp.send.auth_required";
    }
    if (class == CLASS_TOO_BIG) {
        return "smtp.send.too_big";
    }
    if (class == CLASS_GREYLISTED) {
        return "smtp.send.greylisted";
    }
    /* Postfix and others answer relaying with 454 while their tables are out of order. */
    if (r->code / 100 == 4 && class != CLASS_RELAY_DENIED) {
        return "smtp.send.deferred";
    }
    bool guessed = why->confidence == CONFIDENCE_GUESS;
    return !guessed && check_about_us(r, why) ? "smtp.send.blocked" : NULL;
}

/* Also as an answer to RCPT: many servers look at the sender only then. */
static bool is_about_sender(enum reply_class class)
{
    return class == CLASS_SENDER_REJECTED || class == CLASS_SENDER_AUTHENTICATION;
}

static const char *stage_id(enum mail_stage stage, enum reply_class class)
{
    switch (stage) {
    case MAIL_STAGE_MAIL:
        return "smtp.send.sender_refused";
    case MAIL_STAGE_RCPT:
        return class == CLASS_RELAY_DENIED ? "smtp.send.relay_denied"
               : is_about_sender(class)    ? "smtp.send.sender_refused"
                                           : "smtp.send.recipient_refused";
    case MAIL_STAGE_DATA:
        return "smtp.send.data_refused";
    case MAIL_STAGE_CHUNK:
    case MAIL_STAGE_END:
        break;
    }
    return "smtp.send.content_refused";
}

/* RFC 3030 2: who offers CHUNKING has to know BDAT. */
static bool is_chunking_broken(const struct check_context *c, enum mail_stage stage,
                               const struct reply *r)
{
    return stage == MAIL_STAGE_CHUNK && (r->code == 500 || r->code == 502 || r->code == 503) &&
           caps_has(&c->smtp.caps, CAP_CHUNKING);
}

static const char *text_or(const char *text, const char *other)
{
    return text != NULL && text[0] != '\0' ? text : other;
}

enum verdict judge_mail_refused(struct check_context *c, enum mail_stage stage,
                                const struct reply *r, const struct mail_subject *m)
{
    struct finding f;
    enum verdict v;
    if (check_shutdown(c, r, &v)) {
        return v;
    }
    struct reply_verdict why = check_decode(c, r);
    enum reply_class class = why.cause != NULL ? why.cause->class : CLASS_NONE;
    bool chunking = is_chunking_broken(c, stage, r);
    const char *common = common_id(r, &why);
    const char *id = chunking         ? "smtp.send.chunking_broken"
                     : common != NULL ? common
                                      : stage_id(stage, class);
    finding_init(&f, id);
    check_add_refusal(c, &f, r);
    if (chunking) {
        f.who = WHO_SERVER;
        f.class = CLASS_PROTOCOL;
    } else if (r->code != 530 && class == CLASS_GREYLISTED) {
        f.who = WHO_NOBODY;
        f.class = CLASS_GREYLISTED;
    }
    bool of_sender = stage == MAIL_STAGE_MAIL ||
                     (stage == MAIL_STAGE_RCPT && common == NULL && is_about_sender(class));
    finding_arg(&f, "address", of_sender ? text_or(m->sender, "<>") : text_or(m->recipient, "-"));
    finding_argf(&f, "size", "%zu", m->size);
    if (c->smtp.caps.has_size && c->smtp.caps.size > 0) {
        finding_argf(&f, "limit", "%" PRIu64, c->smtp.caps.size);
    } else {
        finding_arg(&f, "limit", "-");
    }
    return check_report(c, &f);
}

enum verdict judge_mail_accepted(struct check_context *c, const struct reply *r,
                                 const struct mail_subject *m)
{
    struct finding f;
    struct buf text;
    char id[QUEUE_ID_MAX];
    buf_init(&text, REPLY_TEXT_MAX);
    enum status st = reply_join(r, &text);
    if (st == ST_OK && queue_id_find((struct span){buf_str(&text), text.len}, id)) {
        st = str_set(&c->facts.queue_id, id);
    }
    buf_free(&text);
    if (st == ST_OK && m->message_id != NULL) {
        st = str_set(&c->facts.message_id, m->message_id);
    }
    if (st != ST_OK) {
        return check_internal(c, st, NULL);
    }
    finding_init(&f, "smtp.send.ok");
    check_add_reply(c, &f, r);
    finding_arg(&f, "queue_id", c->facts.queue_id != NULL ? c->facts.queue_id : "-");
    finding_arg(&f, "recipient", text_or(m->recipient, "-"));
    finding_arg(&f, "message_id", m->message_id != NULL ? m->message_id : "");
    return check_report(c, &f);
}
