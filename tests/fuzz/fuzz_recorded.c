/*
 * Any octets in every place that others can fill of a run, and a scenario made of it: whatever they
 * are, the scenario can be read.
 *
 * Threads: the fuzzer's. Ownership: nothing outlives a call.
 */
#include <stdlib.h>
#include <string.h>

#include "report_scenario.h"
#include "scenario.h"

#define PIECES 24
#define CAPACITY 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
    struct span list[PIECES];
    char text[PIECES][CAPACITY]; /* the same up to the first NUL */
};

static void require(bool promise)
{
    if (!promise) {
        abort();
    }
}

/* Cut at line ends; they come round again when there are too few. */
static void cut(struct pieces *p, const uint8_t *data, size_t size)
{
    const char *at = (const char *)data;
    const char *end = at + size;
    size_t count = 0;
    while (count < PIECES && at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        const char *stop = lf != NULL ? lf : end;
        p->list[count++] = (struct span){at, (size_t)(stop - at)};
        at = lf != NULL ? lf + 1 : end;
    }
    for (size_t i = 0; i < PIECES; i++) {
        p->list[i] = i < count ? p->list[i] : count > 0 ? p->list[i % count] : (struct span){"", 0};
        size_t n = p->list[i].len < CAPACITY - 1 ? p->list[i].len : CAPACITY - 1;
        memcpy(p->text[i], p->list[i].p, n);
        p->text[i][n] = '\0';
    }
}

static const char *name(const struct pieces *p, size_t i)
{
    return p->text[i % PIECES][0] != '\0' ? p->text[i % PIECES] : "mail.tannenhof.de";
}

static void add_answer(struct record *r, enum check_id check, const char *of, uint16_t type,
                       enum dns_result result, const char *data)
{
    r->answers = realloc(r->answers, (r->answer_count + 1) * sizeof(*r->answers));
    require(r->answers != NULL);
    struct record_answer *a = &r->answers[r->answer_count++];
    *a = (struct record_answer){.check = check, .f = {.type = type, .result = result, .ede = -1}};
    require(net_address_parse("81.2.69.53", &a->f.server));
    require(str_set(&a->f.name, of) == ST_OK);
    require(data == NULL || dns_facts_add(&a->f, data) == ST_OK);
}

static void add_line(struct record *r, enum smtp_dir dir, const char *before, struct span s,
                     const char *behind)
{
    struct buf b;
    buf_init(&b, 65536);
    require(buf_add_str(&b, before) == ST_OK);
    enum status st = buf_add(&b, s.p, s.len);
    require(st == ST_OK || st == ST_LIMIT);
    require(buf_add_str(&b, behind) == ST_OK || st == ST_LIMIT);
    struct line line = {.number = lines_last(r->lines) + 1,
                        .path = 1,
                        .check = CHECK_SEND,
                        .dir = (uint8_t)dir,
                        .text = buf_str(&b),
                        .len = b.len};
    require(lines_add(r->lines, &line) == ST_OK);
    buf_free(&b);
}

static void add_path(struct record *r, const struct pieces *p)
{
    struct facts *f = r->paths[1] = calloc(1, sizeof(*f));
    require(f != NULL);
    facts_init(f, 1);
    r->path_count = 2;
    require(str_set(&f->mx, name(p, 1)) == ST_OK);
    require(str_set(&f->ehlo_name, name(p, 2)) == ST_OK);
    require(net_address_parse("81.2.69.10", &f->address));
    f->address.port = 25;
    f->tls = calloc(1, sizeof(*f->tls));
    require(f->tls != NULL);
    f->tls->done = true;
    f->tls->chain_count = 1;
    for (size_t i = 0; i < 4; i++) {
        str_copy(f->tls->names[f->tls->name_count++], TLS_NAME_TEXT, p->text[3 + i]);
    }
}

static void add_talk(struct record *r, const struct pieces *p)
{
    r->dials = calloc(1, sizeof(*r->dials));
    require(r->dials != NULL);
    r->dial_count = 1;
    r->dials[0] = (struct record_dial){.path = 1, .talked = true, .ended = true, .why = ST_EOF};
    require(net_address_parse("81.2.69.10", &r->dials[0].f.to));
    r->dials[0].f.to.port = 25;
    r->dials[0].last_line = UINT32_MAX;
    add_line(r, DIR_SERVER, "", p->list[7], "");
    add_line(r, DIR_SERVER, "220 ", p->list[8], "");
    add_line(r, DIR_CLIENT, "EHLO ", p->list[2], "");
    for (size_t i = 9; i < 14; i++) {
        add_line(r, DIR_SERVER, i < 13 ? "250-" : "250 ", p->list[i], "");
    }
    add_line(r, DIR_CLIENT, "MAIL FROM:<", p->list[14], ">");
    add_line(r, DIR_SERVER, "250 <", p->list[14], "> is good");
    add_line(r, DIR_CLIENT, "RCPT TO:<", p->list[15], ">");
    add_line(r, DIR_SERVER, "", p->list[16], "");
    add_line(r, DIR_CLIENT, "", p->list[17], "");
    add_line(r, DIR_SERVER, "554 ", p->list[18], "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pieces p;
    struct run_file run = {.has_exchanges = true};
    struct record *r = &run.record;
    struct buf out, mx;
    struct error error = {.text = ""};
    struct scenario *s = NULL;
    cut(&p, data, size);
    plan_init(&run.plan);
    require(record_init(r, 1) == ST_OK);
    require(str_set(&run.plan.domain, name(&p, 0)) == ST_OK);
    require(str_set(&run.plan.auth_user, p.text[19]) == ST_OK);
    require(str_set(&run.plan.to, p.text[15]) == ST_OK);
    require(str_set(&run.plan.helo, size % 2 == 0 ? name(&p, 2) : NULL) == ST_OK);
    buf_init(&mx, 65536);
    require(buf_addf(&mx, "10 %s", name(&p, 1)) == ST_OK);
    add_answer(r, CHECK_DNS_MX, name(&p, 0), DNS_MX, DNS_ANSWER, buf_str(&mx));
    add_answer(r, CHECK_DNS_ADDRESS, name(&p, 1), DNS_A, DNS_ANSWER, "81.2.69.10");
    add_answer(r, CHECK_DNS_ADDRESS, name(&p, 20), DNS_AAAA, DNS_NODATA, NULL);
    add_answer(r, CHECK_SELF_PTR, "10.69.2.81.in-addr.arpa", DNS_PTR, DNS_ANSWER, name(&p, 21));
    add_answer(r, CHECK_SELF_PTR, name(&p, 22), DNS_TXT, DNS_ANSWER, p.text[23]);
    add_path(r, &p);
    add_talk(r, &p);
    buf_init(&out, REPORT_SCENARIO_MAX);
    enum status st = report_scenario(&run, &out, &error);
    require(st == ST_OK || st == ST_LIMIT);
    if (st == ST_OK) {
        require(scenario_read("made", buf_str(&out), out.len, &s, &error) == ST_OK);
        scenario_free(s);
    }
    buf_free(&out);
    buf_free(&mx);
    run_file_free(&run);
    return 0;
}
