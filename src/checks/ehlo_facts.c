#include "ehlo_facts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

#define PORT_SMTP 25
#define SMALL_SIZE (UINT64_C(5) << 20) /* with base64, an attachment of under 4 MB */
#define LIST_MAX 1024
#define CAPS_TEXT_MAX (CAPS_MAX * CAP_TEXT_MAX)

enum status ehlo_facts_keep(struct check_context *c)
{
    struct buf text;
    const struct caps *caps = &c->smtp.caps;
    enum status st = ST_OK;
    buf_init(&text, CAPS_TEXT_MAX);
    for (size_t i = 0; i < caps->count && st == ST_OK; i++) {
        st = i > 0 ? buf_add_char(&text, '\n') : ST_OK;
        if (st == ST_OK) {
            st = buf_add_str(&text, caps->list[i].text);
        }
    }
    if (st == ST_OK) {
        st = str_set(&c->facts.capabilities, buf_str(&text));
    }
    buf_free(&text);
    if (st == ST_OK) {
        st = str_set(&c->facts.ehlo_name, c->ehlo_name);
    }
    check_facts_changed(c);
    return st;
}

static struct span keyword(const struct cap *cap)
{
    struct span s = {cap->text, cap->keyword_len};
    return s;
}

static bool offers(const struct caps *caps, const struct cap *wanted)
{
    struct span a = keyword(wanted);
    for (size_t i = 0; i < caps->count; i++) {
        struct span b = keyword(&caps->list[i]);
        if (a.len == b.len && strncasecmp(a.p, b.p, a.len) == 0) {
            return true;
        }
    }
    return false;
}

static void list_missing(struct buf *list, const struct caps *in, const struct caps *from)
{
    for (size_t i = 0; i < in->count; i++) {
        struct span word = keyword(&in->list[i]);
        char text[CAP_TEXT_MAX];
        if (offers(from, &in->list[i])) {
            continue;
        }
        memcpy(text, word.p, word.len);
        text[word.len] = '\0';
        check_list(list, text);
    }
}

/* Extensions that a server which speaks for itself does not take back when it is encrypted. */
static const enum cap_id steady[] = {CAP_SIZE,     CAP_PIPELINING, CAP_8BITMIME,
                                     CAP_SMTPUTF8, CAP_DSN,        CAP_CHUNKING};

static enum verdict report_lost(struct check_context *c, const struct caps *before,
                                const struct caps *after)
{
    struct finding f;
    struct buf list;
    enum verdict v = VERDICT_OK;
    buf_init(&list, LIST_MAX);
    finding_init(&f, "tls.starttls.lost_extensions");
    for (size_t i = 0; i < ARRAY_LEN(steady); i++) {
        const struct cap *cap = caps_find(before, steady[i]);
        if (cap != NULL && !caps_has(after, steady[i])) {
            char word[CAP_TEXT_MAX];
            struct span k = keyword(cap);
            memcpy(word, k.p, k.len);
            word[k.len] = '\0';
            check_list(&list, word);
            finding_evidence(&f, cap->line);
        }
    }
    if (list.len > 0) {
        finding_arg(&f, "keyword", buf_str(&list));
        v = check_report(c, &f);
    } else {
        finding_free(&f);
    }
    buf_free(&list);
    return v;
}

enum verdict ehlo_facts_compare(struct check_context *c, const struct caps *before,
                                const struct caps *after)
{
    struct buf gone;
    struct buf come;
    buf_init(&gone, LIST_MAX);
    buf_init(&come, LIST_MAX);
    list_missing(&gone, before, after);
    list_missing(&come, after, before);
    if (come.len > 0) {
        check_note(c, _("Offered only under TLS: %s"), buf_str(&come));
    }
    if (gone.len > 0) {
        check_note(c, _("No longer offered under TLS: %s"), buf_str(&gone));
    }
    buf_free(&gone);
    buf_free(&come);
    return report_lost(c, before, after);
}

enum verdict ehlo_facts_auth(struct check_context *c)
{
    struct finding f;
    struct buf list;
    const struct caps *caps = &c->smtp.caps;
    const struct cap *cap = caps_find(caps, CAP_AUTH);
    /* In clear it is smtp.ehlo.auth_in_clear, which is worse. */
    if (cap == NULL || !c->smtp.tls || c->facts.address.port != PORT_SMTP) {
        return VERDICT_OK;
    }
    buf_init(&list, LIST_MAX);
    for (size_t i = 0; i < caps->mech_count; i++) {
        check_list(&list, caps->mechs[i]);
    }
    finding_init(&f, "smtp.ehlo.auth_on_25");
    finding_arg(&f, "mechs", buf_str(&list));
    finding_evidence(&f, cap->line);
    buf_free(&list);
    return check_report(c, &f);
}

/* RFC 1870 4: 0 says that there is no fixed limit. */
enum verdict ehlo_facts_size(struct check_context *c)
{
    struct finding f;
    const struct caps *caps = &c->smtp.caps;
    const struct cap *cap = caps_find(caps, CAP_SIZE);
    if (cap == NULL || !caps->has_size || caps->size == 0 || caps->size >= SMALL_SIZE) {
        return VERDICT_OK;
    }
    finding_init(&f, "smtp.ehlo.size_small");
    finding_argf(&f, "limit", "%" PRIu64, caps->size);
    finding_evidence(&f, cap->line);
    return check_report(c, &f);
}
