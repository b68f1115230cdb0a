#include "report_ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "escape.h"
#include "report_writer.h"
#include "text.h"

#define MESSAGE_MAX (256u << 10)
#define MESSAGE_COLUMNS 72
#define WHERE_MAX 640
#define STEPS_TEXT_MAX 4096

void report_ticket_worst(const struct record *r, struct report_ticket *out)
{
    size_t order[RECORD_FINDINGS_MAX];
    memset(out, 0, sizeof(*out));
    if (report_problems(r, order) > 0 &&
        r->findings[order[0]].f.verdict >= VERDICT_INCONCLUSIVE) {
        out->finding = &r->findings[order[0]].f;
    }
}

const char *report_ticket_addressee(enum who who)
{
    switch (who) {
    case WHO_CLIENT:
        return _("To whoever runs the sending side:");
    case WHO_SERVER:
        return _("To whoever runs the mail server:");
    case WHO_DNS:
        return _("To whoever manages the DNS records:");
    case WHO_NETWORK:
        return _("To the network or hosting provider:");
    case WHO_THIRD_PARTY:
        return _("To the third party:");
    case WHO_TOOL:
    case WHO_NOBODY:
        break;
    }
    return _("To whoever asks:");
}

void report_page_free(struct report_page *page)
{
    for (size_t i = 0; i < page->step_count; i++) {
        free(page->steps[i].text);
    }
    free(page->title);
    free(page->cause);
    free(page->summary);
    free(page->means);
    free(page->link);
    free(page->message);
    memset(page, 0, sizeof(*page));
}

/* What the guide says about the cause, or about the kind of refusal that was pasted. */
static enum status look_up(const struct report_options *o, const struct report_ticket *t,
                           struct guide_text *text)
{
    memset(text, 0, sizeof(*text));
    if (t->finding != NULL) {
        return guide_finding(o->guide, t->finding, o->ascii, text);
    }
    return t->reply != NULL ? guide_cause(o->guide, t->reply, text) : ST_OK;
}

static enum status take_steps(struct report_page *page, struct guide_text *text,
                              const struct report_ticket *t)
{
    struct guide_step all[REPORT_PAGE_STEPS_MAX];
    size_t order[REPORT_PAGE_STEPS_MAX], count = 0;
    for (size_t i = 0; i < text->step_count; i++) {
        all[count++] = text->steps[i];
    }
    for (size_t i = 0; i < t->todo_count; i++) {
        all[count++] = t->todo[i];
    }
    guide_group_steps(all, count, order);
    for (size_t i = 0; i < count; i++) {
        struct guide_step *step = &page->steps[page->step_count];
        step->who = all[order[i]].who;
        step->text = str_dup(all[order[i]].text);
        if (step->text == NULL) {
            return ST_NOMEM;
        }
        page->step_count++;
    }
    return ST_OK;
}

static enum who addressee(const struct report_ticket *t)
{
    return t->names_who           ? t->who
           : t->finding != NULL   ? t->finding->who
           : t->reply != NULL     ? t->reply->who
                                  : WHO_NOBODY;
}

/* "mx1.example.com [192.0.2.10], port 25", or the target where nothing was reached. */
static void where_text(const struct record *r, const struct report_options *o, char *out, size_t size)
{
    const struct facts *path = record_path(r);
    const char *input = o->plan != NULL && o->plan->input != NULL ? o->plan->input : r->target;
    char address[NET_ADDRESS_TEXT] = "", raw[WHERE_MAX];
    if (path == NULL || path->address.family == 0) {
        snprintf(raw, sizeof(raw), "%s", input != NULL ? input : "-");
    } else {
        net_address_format(&path->address, address, sizeof(address));
        snprintf(raw, sizeof(raw), _("%s [%s], port %u"), path->mx != NULL ? path->mx : address,
                 address, (unsigned)path->address.port);
    }
    escape_copy(out, size, raw, strlen(raw), o->ascii ? ESCAPE_ASCII : 0);
}

/* Under which address and name we were seen; "" when that is not known. */
static void seen_text(const struct record *r, const struct report_options *o, char *out, size_t size)
{
    const struct facts *own = r->path_count > 0 ? r->paths[0] : NULL;
    const struct facts *path = record_path(r);
    char local[NET_ADDRESS_TEXT] = "", raw[WHERE_MAX] = "";
    if (own != NULL && own->own_address != NULL && own->own_ptr != NULL) {
        snprintf(raw, sizeof(raw), "%s (%s)", own->own_address, own->own_ptr);
    } else if (own != NULL && own->own_address != NULL) {
        snprintf(raw, sizeof(raw), "%s", own->own_address);
    } else if (path != NULL && path->local.family != 0) {
        net_address_format(&path->local, local, sizeof(local));
        snprintf(raw, sizeof(raw), "%s", local);
    }
    escape_copy(out, size, raw, strlen(raw), o->ascii ? ESCAPE_ASCII : 0);
}

/* When the proof was given; else when the run began. */
static void when_text(const struct record *r, const struct report_ticket *t, char *out, size_t size)
{
    struct line line;
    int64_t us = r->started_wall_us;
    if (t->finding != NULL && t->finding->evidence_count > 0 &&
        lines_get(r->lines, t->finding->evidence[t->finding->evidence_count - 1], &line)) {
        us += line.t_us;
    }
    clock_iso8601(us, out, size);
}

static void write_proof(struct writer *w, const struct record *r, const struct report_ticket *t)
{
    for (size_t i = 0; t->finding != NULL && i < t->finding->evidence_count; i++) {
        struct line line;
        if (!lines_get(r->lines, t->finding->evidence[i], &line)) {
            continue;
        }
        bool cut = line.len > REPORT_EVIDENCE_LENGTH;
        write_rawf(w, "  %s ", report_direction(&line));
        if (w->st == ST_OK) {
            w->st = escape_add(w->out, line.text, cut ? REPORT_EVIDENCE_LENGTH : line.len, w->flags);
        }
        write_raw(w, cut ? " [...]\n" : "\n");
    }
    if (t->pasted != NULL) {
        write_raw(w, "  ");
        write_text(w, t->pasted);
        write_raw(w, "\n");
    }
}

/* As narrow as mail is written. */
static void write_message(struct writer *w, const char *label, size_t indent, const char *text)
{
    write_wrapped_at(w, MESSAGE_COLUMNS, label, indent, text);
}

/* What concerns whoever gets the message; all of it where nothing is his in particular. */
static void write_requests(struct writer *w, const struct report_page *page)
{
    unsigned own = 0, number = 0;
    for (size_t i = 0; i < page->step_count; i++) {
        own += page->steps[i].who == page->who ? 1 : 0;
    }
    for (size_t i = 0; i < page->step_count; i++) {
        if (own > 0 && page->steps[i].who != page->who && page->steps[i].who != WHO_NOBODY) {
            continue;
        }
        if (number == 0) {
            write_raw(w, "\n");
            write_message(w, "", 0, _("This helps:"));
        }
        char point[16];
        snprintf(point, sizeof(point), "%u.", ++number);
        write_message(w, point, number < 10 ? 3 : 4, page->steps[i].text);
    }
}

static void write_fact(struct writer *w, const char *label, const char *text)
{
    if (text[0] != '\0') {
        write_message(w, label, 14, text);
    }
}

/* "DNS MX OK, TCP connect OK, STARTTLS FAIL": what came to a result. */
static void write_steps(struct writer *w, const struct record *r)
{
    struct buf steps;
    buf_init(&steps, STEPS_TEXT_MAX);
    for (size_t i = 0; i < CHECK_COUNT && w->st == ST_OK; i++) {
        enum verdict v = r->steps[i].verdict;
        if (v == VERDICT_OK || v == VERDICT_NOTE || v >= VERDICT_INCONCLUSIVE) {
            w->st = buf_addf(&steps, "%s%s %s", steps.len > 0 ? ", " : "", _(checks[i].title),
                             report_verdict_word(v));
        }
    }
    write_fact(w, _("Steps"), buf_str(&steps));
    buf_free(&steps);
}

static enum status compose_message(const struct record *r, const struct report_options *o,
                                   const struct report_ticket *t, struct report_page *page)
{
    char where[WHERE_MAX], seen[WHERE_MAX], when[32], name[512];
    struct buf out;
    buf_init(&out, MESSAGE_MAX);
    struct writer w = {&out, o->ascii ? ESCAPE_ASCII : 0, ST_OK};
    where_text(r, o, where, sizeof(where));
    seen_text(r, o, seen, sizeof(seen));
    when_text(r, t, when, sizeof(when));
    const char *target = o->plan != NULL && o->plan->domain_shown != NULL ? o->plan->domain_shown
                         : r->target != NULL                              ? r->target
                                                                          : where;
    escape_copy(name, sizeof(name), target, strlen(target), w.flags);
    if (page->demo) {
        write_message(&w, "DEMO.", 6, report_demo_sentence());
    }
    /* A refusal that was pasted is not about what this run has tested. */
    bool tested = t->finding != NULL || t->pasted == NULL;
    char subject[1024];
    if (tested) {
        snprintf(subject, sizeof(subject), _("Subject: %s: %s"), name, page->title);
    } else {
        snprintf(subject, sizeof(subject), _("Subject: %s"), page->title);
    }
    write_text(&w, subject); /* in one line, however long */
    write_raw(&w, "\n");
    write_raw(&w, "\n");
    write_message(&w, "", 0, _("Hello,"));
    write_raw(&w, "\n");
    write_message(&w, "", 0,
                  t->message != NULL ? t->message
                  : tested ? _("we tested the mail service that is named below and found the "
                               "following.")
                           : _("mail is refused with the answer that stands below."));
    write_raw(&w, "\n");
    write_fact(&w, _("Found"), page->cause != NULL ? page->cause : page->title);
    write_fact(&w, _("Tested"), tested ? where : "");
    write_fact(&w, _("When (UTC)"), tested ? when : "");
    write_fact(&w, _("From"), seen);
    if (tested) {
        write_steps(&w, r);
    }
    if (t->pasted != NULL || (t->finding != NULL && t->finding->evidence_count > 0)) {
        write_raw(&w, "\n");
        write_message(&w, "", 0, _("What was said (C: the client, S: the server):"));
        write_proof(&w, r, t);
    }
    if (page->means != NULL) {
        write_raw(&w, "\n");
        write_message(&w, "", 0, page->means);
    }
    write_requests(&w, page);
    if (page->reference[0] != '\0') {
        write_raw(&w, "\n");
        write_fact(&w, _("Reference"), page->reference);
        write_fact(&w, "", page->link != NULL ? page->link : "");
    }
    if (w.st == ST_OK) {
        w.st = str_set(&page->message, buf_str(&out));
    }
    buf_free(&out);
    return w.st;
}

enum status report_ticket_page(const struct record *r, const struct report_options *o,
                               const struct report_ticket *t, struct report_page *out)
{
    struct guide_text text = {0};
    memset(out, 0, sizeof(*out));
    out->reference = "";
    if (o->guide == NULL || r->lines == NULL) {
        return ST_INVALID;
    }
    enum status st = look_up(o, t, &text);
    if (st != ST_OK) {
        goto out;
    }
    out->demo = r->demo;
    out->finding = t->finding;
    out->pasted = t->pasted;
    out->verdict = t->finding != NULL ? t->finding->verdict : VERDICT_PENDING;
    out->confidence = t->finding != NULL ? t->finding->confidence : t->confidence;
    out->reference = t->finding != NULL ? t->finding->kind->reference
                     : t->reply != NULL ? t->reply->reference
                                        : "";
    out->who = addressee(t);
    if (t->finding != NULL) {
        guide_basis(t->finding, out->basis, sizeof(out->basis));
    } else if (t->reply != NULL) {
        guide_basis_of(t->basis, t->vendor, t->confidence, out->basis, sizeof(out->basis));
    }
    const char *title = t->title != NULL     ? t->title
                        : text.title != NULL ? text.title
                                             : _("No problem was found in the steps that were run.");
    st = str_set(&out->title, title);
    if (st == ST_OK && text.title != NULL && strcmp(text.title, title) != 0) {
        st = str_set(&out->cause, text.title);
    }
    if (st == ST_OK) {
        st = str_set(&out->summary, t->summary);
    }
    if (st == ST_OK) {
        st = str_set(&out->means, text.means);
    }
    if (st == ST_OK) {
        st = str_set(&out->link, text.link);
    }
    if (st == ST_OK) {
        st = take_steps(out, &text, t);
    }
    if (st == ST_OK) {
        st = compose_message(r, o, t, out);
    }
out:
    guide_text_free(&text);
    if (st != ST_OK) {
        report_page_free(out);
    }
    return st;
}
