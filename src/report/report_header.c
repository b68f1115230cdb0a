#include "report_writer.h"

#include <stdio.h>

#include "escape.h"
#include "text.h"

struct rows {
    struct report_header_row *row;
    size_t count;
    unsigned flags;
};

static void add(struct rows *rows, const char *label, const char *text)
{
    if (rows->count < REPORT_HEADER_ROWS && text[0] != '\0') {
        struct report_header_row *row = &rows->row[rows->count++];
        row->label = label;
        escape_copy(row->text, sizeof(row->text), text, span_of(text).len, rows->flags);
    }
}

static void add_server(struct rows *rows, const struct facts *path)
{
    char address[NET_ADDRESS_TEXT] = "-";
    char text[1024];
    if (path->address.family != 0) {
        net_address_format(&path->address, address, sizeof(address));
    }
    const char *mx = path->mx != NULL ? path->mx : address;
    if (path->preference >= 0) {
        snprintf(text, sizeof(text), _("%s [%s], port %u, preference %d"), mx, address,
                 (unsigned)path->address.port, path->preference);
    } else {
        snprintf(text, sizeof(text), _("%s [%s], port %u"), mx, address,
                 (unsigned)path->address.port);
    }
    add(rows, _("Server"), text);
}

static void add_own_side(struct rows *rows, const struct facts *own, const struct facts *path)
{
    char text[1024];
    const char *name = path != NULL ? path->ehlo_name : NULL;
    if (own == NULL || own->own_address == NULL) {
        add(rows, _("Greeted as"), name != NULL ? name : "");
        return;
    }
    if (own->own_ptr != NULL) {
        snprintf(text, sizeof(text), "%s (%s)", own->own_address, own->own_ptr);
        add(rows, _("Seen as"), text);
    } else {
        add(rows, _("Seen as"), own->own_address);
    }
    add(rows, _("Greeted as"), name != NULL ? name : "");
}

static void add_encryption(struct rows *rows, const struct facts *path)
{
    char text[1024];
    const struct tls_facts *tls = path->tls;
    if (tls == NULL) {
        add(rows, _("Encryption"), path->connected ? _("none") : "");
        return;
    }
    if (!tls->done) {
        snprintf(text, sizeof(text), _("failed (%s)"), tls_reason_word(tls->reason));
    } else if (tls->verified) {
        snprintf(text, sizeof(text), _("%s, %s, certificate verified"), tls->version, tls->cipher);
    } else {
        snprintf(text, sizeof(text), _("%s, %s, certificate not verified (%s)"), tls->version,
                 tls->cipher, tls_reason_word(tls->reason));
    }
    add(rows, _("Encryption"), text);
}

static void add_counts(struct rows *rows, const struct record *r)
{
    unsigned ok, warn, fail, skip, ask;
    char text[256];
    record_counts(r, &ok, &warn, &fail, &skip, &ask);
    snprintf(text, sizeof(text),
             _("%u ok, %u warnings, %u failed, %u left out, %u waiting for consent"), ok, warn,
             fail, skip, ask);
    add(rows, _("Steps"), text);
}

size_t report_header(const struct record *r, const struct report_options *o,
                     struct report_header_row rows_out[REPORT_HEADER_ROWS])
{
    struct rows rows = {rows_out, 0, o->ascii ? ESCAPE_ASCII : 0};
    char text[256];
    if (r->demo) {
        add(&rows, "DEMO", report_demo_sentence());
    }
    const char *input = o->plan != NULL && o->plan->input != NULL ? o->plan->input : r->target;
    add(&rows, _("Target"), input != NULL ? input : "");
    const struct facts *path = record_path(r);
    const struct facts *own = r->path_count > 0 ? r->paths[0] : NULL;
    if (path != NULL) {
        add_server(&rows, path);
    }
    add_own_side(&rows, own, path);
    if (path != NULL) {
        add_encryption(&rows, path);
    }
    clock_iso8601(r->started_wall_us, text, sizeof(text));
    add(&rows, _("Started"), text);
    report_duration(r->elapsed_us, text, sizeof(text));
    add(&rows, _("Took"), text);
    add(&rows, _("Result"), report_verdict_word(r->verdict));
    add_counts(&rows, r);
    if (r->cancelled) {
        add(&rows, _("Note"), _("The run was stopped before its end."));
    } else if (!r->done) {
        add(&rows, _("Note"), _("The run was still going on when this was saved."));
    }
    return rows.count;
}
