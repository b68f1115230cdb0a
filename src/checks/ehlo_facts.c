#include "ehlo_facts.h"

#include <stdlib.h>
#include <string.h>

#include "check_tools.h"
#include "text.h"

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

void ehlo_facts_compare(struct check_context *c, const struct caps *before,
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
}
