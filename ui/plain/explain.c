#include "explain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bounce_text.h"
#include "exit_code.h"
#include "guide.h"
#include "out.h"
#include "report_explain.h"
#include "text.h"

#define READ_SIZE (64u << 10)
#define JSON_MAX (1u << 20) /* of one reply */

struct explainer {
    const struct explain_options *o;
    struct guide *guide;
    struct out out;
    unsigned decoded, missed;
    bool failed; /* no memory */
};

static void print_json(struct explainer *e, struct span shown, const struct bounce_line *line,
                       const struct reply_verdict *v)
{
    struct buf json;
    buf_init(&json, JSON_MAX);
    if (report_explain_json(shown, line, v, e->guide, &json) == ST_OK) {
        out_raw(&e->out, buf_str(&json), json.len);
    } else {
        e->failed = true;
    }
    buf_free(&json);
}

/* "Read as: code 550, enhanced code 5.7.1, in reply to rcpt, from mx.example.com (Postfix)" */
static void print_parts(struct explainer *e, const struct bounce_line *line,
                        const struct reply_verdict *v)
{
    if (line->code > 0) {
        out_line(&e->out, _("  Code: %d %s"), line->code, line->enhanced);
    } else if (line->enhanced[0] != '\0') {
        out_line(&e->out, _("  Enhanced code: %s"), line->enhanced);
    }
    if (line->stage != STAGE_UNKNOWN) {
        out_line(&e->out, _("  Stage: %s"), reply_stage_name(line->stage));
    }
    if (line->host[0] != '\0') {
        out_line(&e->out, _("  Server: %s"), line->host);
    }
    if (v->vendor != NULL) {
        out_line(&e->out, _("  Who speaks: %s"), v->vendor->name);
    }
    if (v->digits_disagree) {
        out_paragraph(&e->out, "  ",
                      _("Code and enhanced code differ in their first digit; the code counts."));
    }
    if (line->cut) {
        out_line(&e->out, _("  Only the first %d bytes were read."), BOUNCE_LINE_MAX);
    }
}

static void print_steps(struct explainer *e, const struct guide_text *text)
{
    for (size_t i = 0; i < text->step_count; i++) {
        char lead[64];
        enum who who = text->steps[i].who;
        if (who != WHO_NOBODY) {
            snprintf(lead, sizeof(lead), "  %zu. (%s) ", i + 1, who_word(who));
        } else {
            snprintf(lead, sizeof(lead), "  %zu. ", i + 1);
        }
        out_paragraph(&e->out, lead, text->steps[i].text);
    }
}

static void print_cause(struct explainer *e, const struct bounce_line *line,
                        const struct reply_verdict *v)
{
    struct guide_text text;
    char basis[GUIDE_BASIS_MAX];
    if (guide_cause(e->guide, v->cause, &text) != ST_OK) {
        e->failed = true;
        return;
    }
    out_paragraph(&e->out, "  ", text.title);
    out_paragraph(&e->out, "  ", text.means);
    print_steps(e, &text);
    if (v->cause->class != CLASS_NONE) {
        out_paragraph(&e->out, "  ", who_sentence(v->cause->who));
    }
    guide_basis_of(v->basis, v->vendor_spoke ? v->vendor : NULL, v->confidence, basis, sizeof(basis));
    out_paragraph(&e->out, "  ", basis);
    print_parts(e, line, v);
    if (v->cause->class != CLASS_NONE) {
        out_line(&e->out, _("  Class: %s"), reply_class_name(v->cause->class));
    }
    out_line(&e->out, _("  Reference: %s"), v->cause->reference);
    if (text.link != NULL) {
        out_line(&e->out, "  %s", text.link);
    }
    out_line(&e->out, _("  Finding: %s (replies.txt, line %u)"), v->cause->id, v->rule);
    guide_text_free(&text);
}

static void print_words(struct explainer *e, struct span shown, const struct bounce_line *line,
                        const struct reply_verdict *v)
{
    size_t most = shown.len < BOUNCE_LINE_MAX ? shown.len : BOUNCE_LINE_MAX;
    if (e->out.begun) {
        out_line(&e->out, "%s", "");
    }
    out_bytes(&e->out, shown.p, most);
    if (line->kind == BOUNCE_NOTHING) {
        out_paragraph(&e->out, "  ",
                      v->cause != NULL
                          ? _("No SMTP reply was found in this; what follows is a guess by its words.")
                          : _("No SMTP reply was found in this."));
    }
    if (v->cause != NULL) {
        print_cause(e, line, v);
    } else if (line->kind != BOUNCE_NOTHING) {
        out_paragraph(&e->out, "  ", _("There is no reply code, and no words that are known."));
    }
}

static void explain_one(void *ctx, struct span shown, const struct bounce_line *line)
{
    struct explainer *e = ctx;
    struct bounce_line own;
    if (e->o->stage != STAGE_UNKNOWN) {
        own = *line;
        own.stage = e->o->stage;
        line = &own;
    }
    struct reply_verdict v = bounce_line_decode(line);
    bool decoded = v.cause != NULL && line->kind != BOUNCE_NOTHING;
    e->decoded += decoded ? 1 : 0;
    e->missed += decoded ? 0 : 1;
    if (e->o->json) {
        print_json(e, shown, line, &v);
    } else {
        print_words(e, shown, line, &v);
    }
}

/* Hands complete lines on. Of a line that is too long the beginning is kept, and one byte to show that
 * there was more. */
static void take_bytes(struct bounce_reader *reader, struct buf *line, const char *p, size_t len)
{
    while (len > 0) {
        const char *end = memchr(p, '\n', len);
        size_t n = end != NULL ? (size_t)(end - p) : len;
        size_t room = line->max - line->len - 1;
        enum status st = buf_add(line, p, n < room ? n : room);
        (void)st; /* it fits; without memory the line is shorter */
        if (end != NULL) {
            bounce_reader_line(reader, (struct span){buf_str(line), line->len});
            buf_clear(line);
            n++;
        }
        p += n;
        len -= n;
    }
}

static enum status read_input(struct explainer *e)
{
    static char piece[READ_SIZE];
    struct bounce_reader reader;
    struct buf line;
    enum status st = ST_OK;
    bounce_reader_init(&reader, explain_one, e);
    buf_init(&line, BOUNCE_LINE_MAX + 2);
    for (;;) {
        ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            complain(e->o->ascii, _("Standard input cannot be read: %s."), strerror(errno));
            st = ST_IO;
        }
        if (n <= 0) {
            break;
        }
        take_bytes(&reader, &line, piece, (size_t)n);
        if (!out_flush(&e->out)) {
            break;
        }
    }
    if (line.len > 0) {
        bounce_reader_line(&reader, (struct span){buf_str(&line), line.len});
    }
    bounce_reader_end(&reader);
    bounce_reader_free(&reader);
    buf_free(&line);
    return st;
}

static int code_of(const struct explainer *e)
{
    if (e->decoded > 0) {
        return e->missed > 0 ? EXIT_CODE_WARN : EXIT_CODE_OK;
    }
    if (!e->out.begun) {
        complain(e->o->ascii, _("There is nothing to explain."));
    }
    return EXIT_CODE_INPUT;
}

int explain_run(const struct explain_options *options)
{
    struct explainer e = {.o = options};
    struct error error = {.text = ""};
    enum status st = guide_load(&e.guide, options->json ? NULL : options->data_dir,
                                options->json ? "en" : options->lang, &error);
    if (st != ST_OK) {
        complain(options->ascii, "%s", error.text);
        return st == ST_NOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_INPUT;
    }
    out_init(&e.out, STDOUT_FILENO, options->ascii);
    if (options->text != NULL) {
        bounce_text_read(span_of(options->text), explain_one, &e);
    } else {
        if (isatty(STDIN_FILENO)) {
            complain(options->ascii, _("Type or paste replies, one a line; Ctrl-D ends."));
        }
        st = read_input(&e);
    }
    int code = st == ST_OK ? code_of(&e) : EXIT_CODE_IO;
    if (!out_flush(&e.out) && !e.out.closed) {
        complain(options->ascii, _("Writing failed: %s."), strerror(e.out.sys));
        code = EXIT_CODE_IO;
    }
    if (e.failed) {
        complain(options->ascii, _("There is not enough memory."));
        code = EXIT_CODE_INTERNAL;
    }
    out_free(&e.out);
    guide_free(e.guide);
    return code;
}
