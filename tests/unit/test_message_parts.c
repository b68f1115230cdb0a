/* Attachments, their names, the sample texts, and what is seen in a message from a file. */
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "compose.h"
#include "guarded.h"
#include "message_scan.h"
#include "sample.h"

static void build(const struct mime_part *parts, size_t count, struct buf *out)
{
    struct buf id;
    struct error error = {.text = ""};
    bool eight_bit = true;
    const struct compose_message m = {.from = "a@x.example",
                                      .to = "b@y.example",
                                      .helo = "h.example",
                                      .body = "hello\n",
                                      .parts = parts,
                                      .part_count = count,
                                      .random = 0x123456789abcdef0};
    buf_init(&id, 1000);
    buf_init(out, 1 << 20);
    if (compose_build(&m, out, &id, &eight_bit, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    assert_false(eight_bit);
    buf_free(&id);
    /* RFC 5322 2.1.1: no line is longer than 78, and all end in CRLF. */
    const char *p = buf_str(out);
    while (*p != '\0') {
        const char *end = strstr(p, "\r\n");
        assert_non_null(end);
        assert_true(end - p <= 78);
        assert_null(memchr(p, '\n', (size_t)(end - p)));
        p = end + 2;
    }
}

static size_t count_of(const char *text, const char *needle)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, needle)) != NULL; p++) {
        n++;
    }
    return n;
}

static void test_multipart(void **state)
{
    (void)state;
    char bytes[1000];
    struct buf out, decoded;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7);
    }
    const struct mime_part parts[] = {
        {.name = "a.bin", .p = bytes, .len = sizeof(bytes)},
        {.name = "empty.txt", .type = "text/plain", .p = "", .len = 0},
    };
    build(parts, 2, &out);
    const char *text = buf_str(&out);
    assert_non_null(strstr(text, "Content-Type: multipart/mixed;\r\n\tboundary=\""
                                 "=_smtpscope_123456789abcdef0\"\r\n"));
    assert_int_equal(count_of(text, "\r\n--=_smtpscope_123456789abcdef0\r\n"), 3);
    assert_int_equal(count_of(text, "\r\n--=_smtpscope_123456789abcdef0--\r\n"), 1);
    assert_int_equal(count_of(text, "MIME-Version: 1.0\r\n"), 1);
    assert_non_null(strstr(text, "\r\n\r\nhello\r\n\r\n--"));
    assert_non_null(strstr(text, "filename=\"a.bin\"\r\n\r\n"));
    /* What was attached comes out again. */
    const char *p =
        strstr(text, "filename=\"a.bin\"\r\n\r\n") + strlen("filename=\"a.bin\"\r\n\r\n");
    char joined[2000];
    size_t n = 0;
    for (; *p != '-'; p++) {
        if (*p != '\r' && *p != '\n') {
            joined[n++] = *p;
        }
    }
    buf_init(&decoded, 10000);
    assert_int_equal(base64_decode(&decoded, joined, n), ST_OK);
    assert_int_equal(decoded.len, sizeof(bytes));
    assert_memory_equal(decoded.p, bytes, sizeof(bytes));
    buf_free(&decoded);
    buf_free(&out);
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *form;
    } cases[] = {
        {"plain name.pdf", ";\r\n\tfilename=\"plain name.pdf\""},
        {"quo\"te.txt", ";\r\n\tfilename*=UTF-8''quo%22te.txt"},
        {"Prüfung.txt", ";\r\n\tfilename*=UTF-8''Pr%C3%BCfung.txt"},
        {"a\r\nb", ";\r\n\tfilename*=UTF-8''a%0D%0Ab"},
        {"50%'*.txt", ";\r\n\tfilename=\"50%'*.txt\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out;
        buf_init(&out, 2000);
        assert_int_equal(mime_param_add(&out, "filename", cases[i].name), ST_OK);
        assert_string_equal(buf_str(&out), cases[i].form);
        buf_free(&out);
    }
    /* A long one in pieces, none of which splits a character. */
    char name[MIME_NAME_MAX + 1] = "";
    while (strlen(name) + 3 < MIME_NAME_MAX) {
        strncat(name, "€", sizeof(name) - strlen(name) - 1);
    }
    struct buf out;
    buf_init(&out, 5000);
    assert_int_equal(mime_param_add(&out, "filename", name), ST_OK);
    assert_non_null(strstr(buf_str(&out), "\tfilename*0*=UTF-8''%E2%82%AC"));
    assert_non_null(strstr(buf_str(&out), "\tfilename*1*=%E2%82%AC"));
    assert_int_equal(count_of(buf_str(&out), "%E2%82%AC"), strlen(name) / 3);
    buf_free(&out);
    const struct mime_part part = {.name = name, .p = "x", .len = 1};
    build(&part, 1, &out);
    buf_free(&out);
}

static void sha256_hex(const struct buf *b, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    assert_int_equal(EVP_Digest(b->p, b->len, digest, &n, EVP_sha256(), NULL), 1);
    for (unsigned i = 0; i < n; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

/* They are right, and neither stands in this program as it lies on the disk. */
static void test_samples(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sha256;
    } samples[] = {
        {"gtube", "4418994365912e23b756ec7f14960f1a89230e44e6acb74de055db7c092f8b9c"},
        {"eicar", "275a021bbfb6489e54d471899f7db9d1663fc695ec2fe2a2c4538aabf651fd0f"},
    };
    FILE *self = fopen("/proc/self/exe", "rb");
    assert_non_null(self);
    assert_int_equal(fseek(self, 0, SEEK_END), 0);
    long size = ftell(self);
    char *image = malloc((size_t)size);
    assert_non_null(image);
    rewind(self);
    assert_int_equal(fread(image, 1, (size_t)size, self), (size_t)size);
    fclose(self);
    for (size_t i = 0; i < 2; i++) {
        enum sample sample;
        struct buf b;
        char hex[65];
        buf_init(&b, 200);
        assert_true(sample_find(samples[i].name, &sample));
        assert_string_equal(sample_name(sample), samples[i].name);
        assert_int_equal(sample_add(sample, &b), ST_OK);
        sha256_hex(&b, hex);
        assert_string_equal(hex, samples[i].sha256);
        assert_null(memmem(image, (size_t)size, b.p, b.len));
        assert_null(memmem(image, (size_t)size, b.p + 8, 24));
        buf_wipe(&b);
    }
    enum sample none;
    assert_false(sample_find("", &none));
    assert_false(sample_find("virus", &none));
    free(image);
}

static void scan(const char *text, size_t len, struct message_scan *s)
{
    struct guarded g = guarded_copy(text, len);
    message_scan(g.p, g.len, s);
    guarded_free(&g);
}

static void test_scan(void **state)
{
    (void)state;
    struct message_scan s;
    char missing[64];
    static const char whole[] =
        "Date: x\r\nfrom : a\r\nTO: b\r\nMessage-Id:\t <1@x> \r\n\r\nhi\r\n";
    scan(whole, sizeof(whole) - 1, &s);
    message_scan_missing(&s, missing, sizeof(missing));
    assert_string_equal(missing, "");
    assert_string_equal(s.id, "<1@x>");
    assert_true(s.headers_end);
    assert_int_equal(s.bare_ends, 0);
    assert_int_equal(s.wire_octets, sizeof(whole) - 1);
    static const char odd[] = "Subject: x\nTo\n\nDate: in the text\r.\xff";
    scan(odd, sizeof(odd) - 1, &s);
    message_scan_missing(&s, missing, sizeof(missing));
    assert_string_equal(missing, "Date, From, To, Message-ID");
    assert_int_equal(s.bare_ends, 4);
    assert_true(s.eight_bit);
    assert_false(s.nul);
    /* Each line with CRLF, the last one too. */
    assert_int_equal(s.wire_octets, 12 + 4 + 2 + 19 + 4);
    scan("", 0, &s);
    assert_int_equal(s.wire_octets, 0);
    scan("a\0b", 3, &s);
    assert_true(s.nul);
    char line[1200];
    memset(line, 'x', sizeof(line));
    scan(line, 998, &s);
    assert_int_equal(s.long_lines, 0);
    scan(line, 999, &s);
    assert_int_equal(s.long_lines, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_multipart),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
