#include "report_writer.h"

#include <stdio.h>
#include <string.h>

#include "escape.h"
#include "text.h"

#define FENCE_MIN 3

void write_raw(struct writer *w, const char *text)
{
    if (w->st == ST_OK) {
        w->st = buf_add_str(w->out, text);
    }
}

void write_rawf(struct writer *w, const char *fmt, ...)
{
    if (w->st != ST_OK) {
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    w->st = buf_addv(w->out, fmt, ap);
    va_end(ap);
}

void write_text(struct writer *w, const char *text)
{
    if (w->st == ST_OK) {
        w->st = escape_add(w->out, text, strlen(text), w->flags);
    }
}

void write_spaces(struct writer *w, size_t count)
{
    while (count-- > 0) {
        write_raw(w, " ");
    }
}

static size_t columns_of(const struct writer *w, const char *p, size_t len)
{
    return escape_columns(p, len, w->flags);
}

void write_wrapped(struct writer *w, const char *label, size_t indent, const char *text)
{
    write_wrapped_at(w, REPORT_COLUMNS, label, indent, text);
}

void write_wrapped_at(struct writer *w, size_t columns, const char *label, size_t indent,
                      const char *text)
{
    size_t column = columns_of(w, label, strlen(label));
    write_text(w, label);
    if (column >= indent && column > 0) {
        write_raw(w, "\n");
        column = 0;
    }
    bool fresh = true;
    text += strspn(text, " ");
    while (*text != '\0' && w->st == ST_OK) {
        size_t len = strcspn(text, " ");
        size_t width = columns_of(w, text, len);
        if (!fresh && column + 1 + width > columns) {
            write_raw(w, "\n");
            column = 0;
            fresh = true;
        }
        if (fresh) {
            write_spaces(w, indent > column ? indent - column : 0);
            column = column > indent ? column : indent;
        } else {
            write_raw(w, " ");
            column++;
        }
        w->st = w->st == ST_OK ? escape_add(w->out, text, len, w->flags) : w->st;
        column += width;
        fresh = false;
        text += len;
        text += strspn(text, " ");
    }
    write_raw(w, "\n");
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void write_markdown(struct writer *w, const char *text)
{
    static const char special[] = "\\`*[]<>|#~&!$";
    struct buf safe;
    buf_init(&safe, REPORT_MAX);
    enum status st = escape_add(&safe, text, strlen(text), w->flags);
    const char *p = buf_str(&safe);
    for (size_t i = 0; i < safe.len && st == ST_OK; i++) {
        /* An underscore inside a word, as in the names of settings, means nothing to Markdown. */
        bool underscore = p[i] == '_' && !(i > 0 && is_word(p[i - 1]) && is_word(p[i + 1]));
        if (underscore || strchr(special, p[i]) != NULL) {
            write_raw(w, "\\");
        }
        st = w->st == ST_OK ? buf_add_char(w->out, p[i]) : w->st;
    }
    if (w->st == ST_OK) {
        w->st = st;
    }
    buf_free(&safe);
}

void report_fence_look(struct report_fence *f, const char *p, size_t len)
{
    f->run = 0;
    for (size_t i = 0; i < len; i++) {
        f->run = p[i] == '`' ? f->run + 1 : 0;
        f->longest = f->run > f->longest ? f->run : f->longest;
    }
}

void report_write_fence(struct writer *w, const struct report_fence *f, const char *language)
{
    for (size_t i = 0; i < FENCE_MIN || i < f->longest + 1; i++) {
        write_raw(w, "`");
    }
    write_raw(w, language);
    write_raw(w, "\n");
}

const char *report_verdict_word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PENDING:
        return _("todo");
    case VERDICT_RUNNING:
        return _("RUN");
    case VERDICT_SKIPPED:
        return _("SKIP");
    case VERDICT_ASK:
        return _("ASK");
    case VERDICT_OK:
        return _("OK");
    case VERDICT_NOTE:
        return _("NOTE");
    case VERDICT_STOPPED:
        return _("STOP");
    case VERDICT_WARN:
        return _("WARN");
    case VERDICT_FAIL:
        return _("FAIL");
    case VERDICT_INCONCLUSIVE:
        break;
    }
    return _("UNSURE");
}

const char *report_verdict_mark(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_PENDING:
        return "[ ]";
    case VERDICT_RUNNING:
        return "[|]";
    case VERDICT_SKIPPED:
        return "[-]";
    case VERDICT_ASK:
        return "[?]";
    case VERDICT_OK:
    case VERDICT_NOTE:
        return "[+]";
    case VERDICT_STOPPED:
        return "[#]";
    case VERDICT_WARN:
    case VERDICT_INCONCLUSIVE:
        return "[!]";
    case VERDICT_FAIL:
        break;
    }
    return "[x]";
}

const char *report_who_heading(enum who who)
{
    switch (who) {
    case WHO_CLIENT:
        return _("On the sending side:");
    case WHO_SERVER:
        return _("On the mail server:");
    case WHO_DNS:
        return _("In DNS:");
    case WHO_NETWORK:
        return _("In the network, or at the provider:");
    case WHO_THIRD_PARTY:
        return _("At a third party:");
    case WHO_TOOL:
        return _("For this test:");
    case WHO_NOBODY:
        break;
    }
    return _("Anybody:");
}

const char *report_demo_sentence(void)
{
    return _("Made in the built-in practice network. No real server took part.");
}

const char *report_typed_sentence(void)
{
    return _("This was found in what was typed by hand; the step's own result does not rest on it.");
}

void report_duration(int64_t us, char *out, size_t size)
{
    if (us < 10 * US_PER_S) {
        snprintf(out, size, "%lld ms", (long long)((us + US_PER_MS / 2) / US_PER_MS));
    } else {
        snprintf(out, size, "%lld.%03lld s", (long long)(us / US_PER_S),
                 (long long)(us % US_PER_S / US_PER_MS));
    }
}

void report_step_time(const struct record_step *step, char *out, size_t size)
{
    out[0] = '\0';
    if (step->verdict >= VERDICT_OK) {
        report_duration(step->elapsed_us, out, size);
    }
}

size_t report_problems(const struct record *r, size_t order[RECORD_FINDINGS_MAX])
{
    size_t count = 0;
    for (int verdict = VERDICT_FAIL; verdict >= VERDICT_NOTE; verdict--) {
        for (size_t i = 0; i < r->finding_count && count < RECORD_FINDINGS_MAX; i++) {
            if (r->findings[i].f.verdict == (enum verdict)verdict) {
                order[count++] = i;
            }
        }
    }
    return count;
}

bool report_is_told(const struct record *r, const struct record_finding *rf)
{
    return rf->f.verdict == VERDICT_SKIPPED && rf->check < CHECK_COUNT &&
           r->steps[rf->check].because < CHECK_COUNT;
}

void report_evidence(const struct finding *f, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < f->evidence_count; i++) {
        int n =
            snprintf(out + used, size - used, "%s%u", i > 0 ? ", " : "", (unsigned)f->evidence[i]);
        if (n < 0 || (size_t)n >= size - used) {
            out[used] = '\0';
            return;
        }
        used += (size_t)n;
    }
}

bool report_write_line(void *ctx, const struct line *line)
{
    struct writer *w = ctx;
    if (line->number == 0) {
        write_raw(w, "       -- ");
        write_text(w, _("Lines are missing here: the transcript was too long to be kept whole."));
    } else {
        write_rawf(w, "%6u ", (unsigned)line->number);
        if (w->st == ST_OK) {
            w->st = report_line(line, (w->flags & ESCAPE_ASCII) != 0, w->out);
        }
    }
    write_raw(w, "\n");
    return w->st == ST_OK;
}

void report_each_line(const struct record *r, bool (*one)(void *ctx, const struct line *line),
                      void *ctx)
{
    uint32_t last = lines_last(r->lines);
    uint32_t gap_start = 0;
    uint32_t gap_end = lines_gap_end(r->lines, &gap_start);
    uint32_t n = lines_first(r->lines);
    bool go_on = n != 0;
    while (go_on && n != 0 && n <= last) {
        struct line line = {0};
        if (gap_end != 0 && n == gap_start) {
            go_on = one(ctx, &line);
            n = gap_end;
        }
        if (go_on && lines_get(r->lines, n, &line)) {
            go_on = one(ctx, &line);
        }
        n = n < UINT32_MAX ? n + 1 : 0;
    }
}

void report_quote_evidence(const struct record *r, const struct finding *f, struct writer *w,
                           size_t indent)
{
    for (size_t i = 0; i < f->evidence_count && i < REPORT_EVIDENCE_QUOTED; i++) {
        struct line line;
        if (!lines_get(r->lines, f->evidence[i], &line)) {
            continue;
        }
        if (line.len > REPORT_EVIDENCE_LENGTH) {
            line.len = REPORT_EVIDENCE_LENGTH;
            line.flags |= LINE_CUT;
        }
        write_spaces(w, indent);
        report_write_line(w, &line);
    }
}
