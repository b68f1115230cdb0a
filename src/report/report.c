#include "report.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "escape.h"
#include "report_writer.h"
#include "text.h"

#define HOST_IN_NAME_MAX                                                                           \
    100 /* a host name has up to 253, a file name up to 255 with all the rest */

/* The longer endings first, because they end like the shorter ones. The first of a format is the one
   that files get. */
static const struct {
    const char *ending;
    enum report_format format;
} endings[] = {
    {"ticket.txt", REPORT_TICKET},
    {"ticket.md", REPORT_TICKET_MARKDOWN},
    {"ticket.markdown", REPORT_TICKET_MARKDOWN},
    {"txt", REPORT_TEXT},
    {"md", REPORT_MARKDOWN},
    {"markdown", REPORT_MARKDOWN},
    {"json", REPORT_JSON},
};

const char *report_extension(enum report_format format)
{
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(endings) && endings[i].format != format) {
        i++;
    }
    return endings[i].ending;
}

size_t report_ending(const char *file_name, enum report_format *out)
{
    const char *slash = strrchr(file_name, '/');
    const char *name = slash != NULL ? slash + 1 : file_name;
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(endings); i++) {
        size_t n = strlen(endings[i].ending);
        if (len > n && name[len - n - 1] == '.' &&
            str_equal_nocase(name + len - n, endings[i].ending)) {
            *out = endings[i].format;
            return n;
        }
    }
    return 0;
}

bool report_format_of(const char *file_name, enum report_format *out)
{
    return report_ending(file_name, out) > 0;
}

enum status report_build(const struct record *r, const struct report_options *o, struct buf *out)
{
    const struct guide *guide = o->format == REPORT_JSON ? o->english_guide : o->guide;
    if (guide == NULL || r->lines == NULL) {
        return ST_INVALID;
    }
    switch (o->format) {
    case REPORT_MARKDOWN:
        return report_markdown(r, o, out);
    case REPORT_JSON:
        return report_json(r, o, out);
    case REPORT_TICKET:
    case REPORT_TICKET_MARKDOWN:
        return report_ticket(r, o, out);
    case REPORT_TEXT:
        break;
    }
    return report_text(r, o, out);
}

const char *report_direction(const struct line *line)
{
    switch ((enum smtp_dir)line->dir) {
    case DIR_CLIENT:
        if ((line->flags & LINE_RAW) != 0) {
            return line->tls ? "c~" : "c:"; /* exact bytes, in escapes */
        }
        return line->tls ? "C~" : "C:";
    case DIR_SERVER:
        return line->tls ? "S~" : "S:";
    case DIR_TLS:
        return "==";
    case DIR_NOTE:
        break;
    }
    return "--";
}

enum status report_line(const struct line *line, bool ascii, struct buf *out)
{
    int64_t ms = line->t_us > 0 ? line->t_us / US_PER_MS : 0;
    char mark = (line->flags & LINE_PROBLEM) != 0 ? '!' : ' ';
    enum status st = buf_addf(out, "%c%2lld.%03d %s", mark, (long long)(ms / 1000),
                              (int)(ms % 1000), report_direction(line));
    if (st == ST_OK && line->len > 0) {
        st = buf_add_char(out, ' ');
    }
    if (st == ST_OK) {
        st = escape_add(out, line->text, line->len, ascii ? ESCAPE_ASCII : 0);
    }
    if (st == ST_OK && (line->flags & LINE_CUT) != 0) {
        st = buf_add_str(out, " [...]");
    }
    return st;
}

/* Only [a-z0-9.-], and nothing that would make a hidden file or an option of it. */
static void reduce_host(const char *host, char *out, size_t size)
{
    size_t n = 0;
    for (; *host != '\0' && n + 1 < size; host++) {
        char c = *host;
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c + ('a' - 'A'));
        }
        bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool joint = n > 0 && out[n - 1] != '-' && out[n - 1] != '.';
        if (!letter && c != '.') {
            c = '-';
        }
        if (letter || joint) {
            out[n++] = c;
        }
    }
    while (n > 0 && (out[n - 1] == '-' || out[n - 1] == '.')) {
        n--;
    }
    out[n] = '\0';
}

void report_file_name(const struct record *r, const struct plan *plan, enum report_format format,
                      char *out, size_t size)
{
    const struct facts *path = record_path(r);
    char address[NET_ADDRESS_TEXT] = "";
    const char *host = NULL;
    uint16_t port = plan != NULL ? plan_port(plan) : 0;
    if (path != NULL) {
        host = path->mx;
        if (host == NULL && path->address.family != 0) {
            net_address_format(&path->address, address, sizeof(address));
            host = address;
        }
        port = path->address.port != 0 ? path->address.port : port;
    }
    if (host == NULL && plan != NULL) {
        host = plan->host != NULL ? plan->host : plan->domain;
    }
    char reduced[HOST_IN_NAME_MAX + 1];
    reduce_host(host != NULL ? host : "", reduced, sizeof(reduced));
    time_t seconds = (time_t)(r->started_wall_us / US_PER_S);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    char when[32];
    strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc);
    snprintf(out, size, "smtpscope-%s-%u-%s.%s", reduced[0] != '\0' ? reduced : "unknown",
             (unsigned)port, when, report_extension(format));
}
