#include "tls.h"

#include <ctype.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "testtls.h"

#define DEADLINE (60 * US_PER_S)

static struct testcert_authority authority;
static struct testcert leaf;
static char *root_pem;

static int setup(void **state)
{
    (void)state;
    testcert_authority_make(&authority, "Test");
    struct testcert_spec spec = {
        .name = "mx.example.net",
        .san = "DNS:mx.example.net,DNS:*.wild.example.net,IP:192.0.2.25,IP:2001:db8::25",
        .usage = "serverAuth"};
    testcert_make(&leaf, &spec, &authority.intermediate);
    const struct testcert *roots[] = {&authority.root};
    root_pem = testcert_pem(roots, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    testcert_authority_free(&authority);
    testcert_free(&leaf);
    free(root_pem);
    return 0;
}

static struct testtls_options good_server(void)
{
    struct testtls_options o = {.leaf = &leaf,
                                .chain = {&authority.intermediate},
                                .cut_at = TESTTLS_NO_CUT,
                                .flip_at = TESTTLS_NO_CUT};
    return o;
}

static struct tls_config good_client(void)
{
    struct tls_config c = {.name = "mx.example.net", .ca_pem = root_pem};
    return c;
}

static struct net_conn *must_connect(struct testtls_network *n, const struct testtls_options *o,
                                     const struct tls_config *config, struct tls_facts *facts,
                                     struct net_conn **below)
{
    struct net_conn *c;
    struct error e = {0};
    *below = testtls_conn_new(o);
    enum status st = tls_client(&n->base, *below, config, DEADLINE, NULL, &c, facts, &e);
    if (st != ST_OK) {
        print_error("%s: %s (%s)\n", status_name(st), e.text, facts->detail);
    }
    assert_int_equal(st, ST_OK);
    assert_true(facts->done);
    return c;
}

static void say(struct testtls_network *n, struct net_conn *c, const char *text)
{
    assert_int_equal(net_write_all(&n->base, c, text, strlen(text), DEADLINE, NULL), ST_OK);
}

static void hear(struct testtls_network *n, struct net_conn *c, const char *text)
{
    char line[100] = "";
    size_t len = 0;
    while (len < strlen(text)) {
        size_t got;
        assert_int_equal(net_read_some(&n->base, c, line + len, sizeof(line) - len, &got, DEADLINE,
                                       NULL),
                         ST_OK);
        len += got;
    }
    assert_int_equal(len, strlen(text));
    assert_memory_equal(line, text, len);
}

static void good_server_is_verified(void **state)
{
    (void)state;
    struct testtls_network n;
    struct tls_facts f;
    struct net_conn *below;
    testtls_network_init(&n);
    struct testtls_options o = good_server();
    struct tls_config config = good_client();
    struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
    assert_true(f.verified);
    assert_int_equal(f.reason, TLS_REASON_NONE);
    assert_int_equal(f.error_count, 0);
    assert_int_equal(f.alert, -1);
    assert_string_equal(f.detail, "");
    assert_string_equal(f.sni, "mx.example.net");
    assert_string_equal(f.name, "mx.example.net");
    assert_string_equal(SSL_get_servername(testtls_server(below), TLSEXT_NAMETYPE_host_name),
                        "mx.example.net");
    assert_string_equal(f.version, "TLSv1.3");
    assert_string_equal(f.cipher, SSL_get_cipher_name(testtls_server(below)));
    assert_string_equal(f.group, "X25519");
    assert_true(f.secure_renegotiation);
    assert_false(f.client_cert_requested);
    assert_int_equal(f.first_bytes_len, 0);

    assert_int_equal(f.chain_count, 2);
    assert_string_equal(f.chain[0].subject, "CN=mx.example.net");
    assert_string_equal(f.chain[0].issuer, "CN=Test Intermediate");
    assert_string_equal(f.chain[1].subject, "CN=Test Intermediate");
    assert_string_equal(f.chain[1].issuer, "CN=Test Root");
    assert_true(f.chain[0].not_before == TESTCERT_NOW - 30 * TESTCERT_DAY);
    assert_true(f.chain[0].not_after == TESTCERT_NOW + 30 * TESTCERT_DAY);
    assert_string_equal(f.chain[0].key, "EC P-256");
    assert_string_equal(f.chain[0].signature, "ecdsa-with-SHA256");
    assert_false(f.chain[0].self_signed);

    assert_int_equal(f.name_count, 4);
    assert_int_equal(f.name_total, 4);
    assert_string_equal(f.names[0], "mx.example.net");
    assert_string_equal(f.names[1], "*.wild.example.net");
    assert_string_equal(f.names[2], "192.0.2.25");
    assert_string_equal(f.names[3], "2001:db8::25");

    /* the connection below is part of the layer now, and its address is the layer's */
    assert_true(net_address_same_host(&c->peer, &below->peer));
    say(&n, c, "EHLO me\n");
    hear(&n, c, "EHLO me\n");
    net_close(c);
}

static void fingerprint_is_that_of_the_certificate(void **state)
{
    (void)state;
    struct testtls_network n;
    struct tls_facts f;
    struct net_conn *below;
    testtls_network_init(&n);
    struct testtls_options o = good_server();
    struct tls_config config = good_client();
    struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len;
    assert_int_equal(X509_digest(leaf.cert, EVP_sha256(), digest, &len), 1);
    char *hex = OPENSSL_buf2hexstr(digest, (long)len);
    size_t used = 0;
    for (const char *p = hex; *p != '\0'; p++) {
        if (*p != ':') {
            assert_int_equal(tolower((unsigned char)*p), f.chain[0].sha256[used]);
            used++;
        }
    }
    assert_int_equal(strlen(f.chain[0].sha256), 64);
    assert_int_equal(used, 64);
    /* SHA-256 is the hash of its signature as well */
    assert_int_equal(f.end_point_len, 32);
    assert_memory_equal(f.end_point, digest, 32);
    OPENSSL_free(hex);
    net_close(c);
}

static void bindings_agree_with_the_server(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *name, *type;
    } cases[] = {
        {TLS1_3_VERSION, "TLSv1.3", "tls-exporter"},
        {TLS1_2_VERSION, "TLSv1.2", "tls-unique"},
        {TLS1_1_VERSION, "TLSv1.1", "tls-unique"},
        {TLS1_VERSION, "TLSv1", "tls-unique"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        o.min_version = o.max_version = cases[i].version;
        struct tls_config config = good_client();
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_true(f.verified);
        assert_string_equal(f.version, cases[i].name);
        assert_string_equal(f.binding_type, cases[i].type);
        unsigned char theirs[64];
        size_t len;
        if (cases[i].version == TLS1_3_VERSION) {
            static const char label[] = "EXPORTER-Channel-Binding";
            len = 32;
            assert_int_equal(SSL_export_keying_material(testtls_server(below), theirs, len, label,
                                                        strlen(label), NULL, 0, 0),
                             1);
        } else {
            len = SSL_get_peer_finished(testtls_server(below), theirs, sizeof(theirs));
        }
        assert_int_equal(f.binding_len, len);
        assert_memory_equal(f.binding, theirs, len);
        net_close(c);
    }
}

static void groups_and_keys_are_named(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *groups, *ciphers, *expected;
    } cases[] = {
        {TLS1_3_VERSION, "P-256", NULL, "P-256"},
        {TLS1_3_VERSION, "P-521", NULL, "P-521"},
        {TLS1_2_VERSION, "X25519", "ECDHE+ECDSA", "X25519"},
        {TLS1_2_VERSION, "P-384", "ECDHE+ECDSA", "P-384"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        o.min_version = o.max_version = cases[i].version;
        o.groups = cases[i].groups;
        o.ciphers = cases[i].ciphers;
        struct tls_config config = good_client();
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_string_equal(f.group, cases[i].expected);
        net_close(c);
    }
}

static void one_byte_at_a_time(void **state)
{
    (void)state;
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        o.piece = 1;
        o.min_version = o.max_version = version;
        struct tls_config config = good_client();
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_true(f.verified);
        say(&n, c, "NOOP\n");
        hear(&n, c, "NOOP\n");
        net_close(c);
    }
}

static void much_data_comes_back_whole(void **state)
{
    (void)state;
    static char sent[200000], back[sizeof(sent)];
    struct testtls_network n;
    struct tls_facts f;
    struct net_conn *below;
    testtls_network_init(&n);
    struct testtls_options o = good_server();
    o.piece = 1000;
    struct tls_config config = good_client();
    struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = (char)(i * 31 + i / 1000);
    }
    assert_int_equal(net_write_all(&n.base, c, sent, sizeof(sent), DEADLINE, NULL), ST_OK);
    for (size_t have = 0; have < sizeof(back);) {
        size_t got;
        assert_int_equal(net_read_some(&n.base, c, back + have, sizeof(back) - have, &got, DEADLINE,
                                       NULL),
                         ST_OK);
        have += got;
    }
    assert_memory_equal(sent, back, sizeof(sent));
    net_close(c);
}

static void buffered_bytes_make_the_layer_ready(void **state)
{
    (void)state;
    struct testtls_network n;
    struct tls_facts f;
    struct net_conn *below;
    char byte;
    size_t got;
    testtls_network_init(&n);
    struct testtls_options o = good_server();
    struct tls_config config = good_client();
    struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
    say(&n, c, "ab");
    say(&n, c, "cd");
    assert_int_equal(net_read_some(&n.base, c, &byte, 1, &got, DEADLINE, NULL), ST_OK);
    assert_int_equal(byte, 'a');
    /* nothing is left below, and still the layer has something */
    for (const char *next = "bcd"; *next != '\0'; next++) {
        struct net_wait_item item = {.conn = c, .want = NET_READ};
        n.waits = 0;
        assert_int_equal(net_wait(&n.base, &item, 1, NO_DEADLINE, NULL, false), ST_OK);
        assert_int_equal(item.ready, NET_READ);
        assert_int_equal(n.waits, 0);
        assert_int_equal(c->ops->read(c, &byte, 1, &got), ST_OK);
        assert_int_equal(byte, *next);
    }
    assert_int_equal(c->ops->read(c, &byte, 1, &got), ST_AGAIN);
    struct net_wait_item item = {.conn = c, .want = NET_READ};
    assert_int_equal(net_wait(&n.base, &item, 1, DEADLINE, NULL, false), ST_TIMEOUT);
    item.want = NET_WRITE;
    assert_int_equal(net_wait(&n.base, &item, 1, DEADLINE, NULL, false), ST_OK);
    net_close(c);
}

static void the_end_is_clean_or_not(void **state)
{
    (void)state;
    for (int clean = 0; clean <= 1; clean++) {
        struct testtls_network n;
        struct tls_facts f;
        struct tls_failure failure;
        struct net_conn *below;
        char line[10];
        size_t got;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        struct tls_config config = good_client();
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        tls_last_failure(c, &failure);
        assert_int_equal(failure.reason, TLS_REASON_NONE);
        assert_int_equal(failure.alert, -1);
        say(&n, c, clean != 0 ? "QUIT\n" : "DROP\n");
        if (clean != 0) {
            hear(&n, c, "QUIT\n");
        }
        for (int again = 0; again < 2; again++) {
            assert_int_equal(net_read_some(&n.base, c, line, sizeof(line), &got, DEADLINE, NULL),
                             ST_EOF);
        }
        tls_last_failure(c, &failure);
        assert_int_equal(failure.truncated, clean == 0);
        assert_int_equal(failure.reason, clean != 0 ? TLS_REASON_NONE : TLS_REASON_CLOSED);
        tls_last_failure(NULL, &failure);
        assert_int_equal(failure.alert, -1);
        net_close(c);
    }
}

static void we_end_with_close_notify(void **state)
{
    (void)state;
    struct testtls_network n;
    struct tls_facts f;
    struct net_conn *below;
    testtls_network_init(&n);
    struct testtls_options o = good_server();
    struct tls_config config = good_client();
    struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
    SSL *server = testtls_server(below);
    assert_int_equal(SSL_get_shutdown(server), 0);
    c->ops->shut_write(c);
    assert_int_equal(SSL_get_shutdown(server) & SSL_RECEIVED_SHUTDOWN, SSL_RECEIVED_SHUTDOWN);
    net_close(c);
}

static void an_address_is_checked_and_not_sent_as_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool verified;
    } cases[] = {
        {"192.0.2.25", true},   {"2001:db8::25", true}, {"[IPv6:2001:db8::25]", true},
        {"[192.0.2.25]", true}, {"192.0.2.26", false},  {"2001:db8::26", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        struct tls_config config = good_client();
        config.name = cases[i].name;
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_int_equal(f.verified, cases[i].verified);
        assert_int_equal(f.reason, cases[i].verified ? TLS_REASON_NONE : TLS_REASON_WRONG_NAME);
        assert_string_equal(f.sni, "");
        assert_null(SSL_get_servername(testtls_server(below), TLSEXT_NAMETYPE_host_name));
        net_close(c);
    }
}

static void names_are_sent_as_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *name, *sni;
        bool verified;
    } cases[] = {
        {"mx.example.net.", "mx.example.net", true},
        {"MX.Example.NET", "MX.Example.NET", true},
        {"a.wild.example.net", "a.wild.example.net", true},
        {"a.b.wild.example.net", "a.b.wild.example.net", false},
        {"wild.example.net", "wild.example.net", false},
        {"evil\033[2J.example.net", "", false},
        {NULL, "", true},
        {"", "", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        struct tls_config config = good_client();
        config.name = cases[i].name;
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_string_equal(f.sni, cases[i].sni);
        assert_int_equal(f.verified, cases[i].verified);
        net_close(c);
    }
    char long_name[400];
    memset(long_name, 'a', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    struct testtls_network n;
    struct tls_facts f;
    struct error e;
    struct net_conn *c;
    testtls_network_init(&n);
    struct testtls_options o = good_server();
    struct tls_config config = good_client();
    config.name = long_name;
    struct net_conn *below = testtls_conn_new(&o);
    assert_int_equal(tls_client(&n.base, below, &config, DEADLINE, NULL, &c, &f, &e), ST_INVALID);
    net_close(below);
}

static void trust_is_taken_from_where_it_was_told(void **state)
{
    (void)state;
    char *dir = testcert_dir_new();
    char *file = testcert_write(dir, "ca.pem", root_pem);
    struct testcert_authority other;
    testcert_authority_make(&other, "Other");
    const struct testcert *others[] = {&other.root};
    char *other_pem = testcert_pem(others, 1);
    const struct {
        const char *config_pem, *config_file, *network_pem, *network_file;
        bool verified;
    } cases[] = {
        {root_pem, NULL, NULL, NULL, true},       {NULL, file, NULL, NULL, true},
        {NULL, NULL, root_pem, NULL, true},       {NULL, NULL, NULL, file, true},
        {NULL, NULL, NULL, NULL, false},          {other_pem, NULL, root_pem, NULL, false},
        {NULL, file, other_pem, NULL, true},      {other_pem, file, NULL, NULL, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        n.base.ca_pem = cases[i].network_pem;
        n.base.ca_file = cases[i].network_file;
        struct testtls_options o = good_server();
        struct tls_config config = {.name = "mx.example.net",
                                    .ca_pem = cases[i].config_pem,
                                    .ca_file = cases[i].config_file};
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_int_equal(f.verified, cases[i].verified);
        net_close(c);
    }
    free(other_pem);
    testcert_authority_free(&other);
    free(file);
    testcert_dir_remove(dir);
}

static void client_certificate_is_shown_when_asked(void **state)
{
    (void)state;
    char *dir = testcert_dir_new();
    struct testcert me;
    struct testcert_spec spec = {.name = "me.example.net", .usage = "clientAuth"};
    testcert_make(&me, &spec, &authority.intermediate);
    const struct testcert *certs[] = {&me, &authority.intermediate};
    char *text = testcert_pem(certs, 2);
    char *cert_file = testcert_write(dir, "me.pem", text);
    free(text);
    text = testcert_key_pem(&me);
    char *key_file = testcert_write(dir, "me.key", text);
    free(text);
    for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
        struct testtls_network n;
        struct tls_facts f;
        struct net_conn *below;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        o.needs_client_cert = true;
        o.min_version = o.max_version = version;
        struct tls_config config = good_client();
        config.cert_file = cert_file;
        config.key_file = key_file;
        struct net_conn *c = must_connect(&n, &o, &config, &f, &below);
        assert_true(f.client_cert_requested);
        assert_true(f.verified);
        say(&n, c, "NOOP\n");
        hear(&n, c, "NOOP\n");
        X509 *seen = SSL_get0_peer_certificate(testtls_server(below));
        assert_non_null(seen);
        assert_int_equal(X509_cmp(seen, me.cert), 0);
        net_close(c);

        /* asked for, but not needed */
        o.needs_client_cert = false;
        o.wants_client_cert = true;
        config.cert_file = config.key_file = NULL;
        c = must_connect(&n, &o, &config, &f, &below);
        assert_true(f.client_cert_requested);
        say(&n, c, "NOOP\n");
        hear(&n, c, "NOOP\n");
        net_close(c);
    }
    testcert_free(&me);
    free(cert_file);
    free(key_file);
    testcert_dir_remove(dir);
}

static void bad_local_files_are_told(void **state)
{
    (void)state;
    char *dir = testcert_dir_new();
    const struct testcert *certs[] = {&leaf};
    char *cert_text = testcert_pem(certs, 1);
    char *cert = testcert_write(dir, "cert.pem", cert_text);
    char *key_text = testcert_key_pem(&authority.root);
    char *other_key = testcert_write(dir, "other.key", key_text);
    char *junk = testcert_write(dir, "junk\033.pem", "no certificate\n");
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, leaf.key, EVP_aes_128_cbc(),
                                              (const unsigned char *)"secret", 6, NULL, NULL),
                     1);
    assert_int_equal(BIO_write(bio, "", 1), 1);
    char *encrypted_text;
    BIO_get_mem_data(bio, &encrypted_text);
    char *encrypted = testcert_write(dir, "encrypted.key", encrypted_text);
    BIO_free(bio);
    const struct {
        struct tls_config config;
        const char *named;
    } cases[] = {
        {{.ca_file = "/nonexistent/ca.pem"}, "/nonexistent/ca.pem"},
        {{.ca_file = junk}, "junk\\x1b.pem"},
        {{.ca_pem = "junk"}, ""},
        {{.ca_pem = ""}, ""},
        {{.cert_file = "/nonexistent/cert.pem"}, "/nonexistent/cert.pem"},
        {{.cert_file = junk}, "junk\\x1b.pem"},
        {{.cert_file = cert}, "cert.pem"}, /* no key in it */
        {{.cert_file = cert, .key_file = other_key}, "other.key"},
        {{.cert_file = cert, .key_file = encrypted}, "encrypted.key"},
        {{.ciphers = "NO-SUCH-CIPHER"}, "NO-SUCH-CIPHER"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct testtls_network n;
        struct tls_facts f;
        struct error e = {0};
        struct net_conn *c;
        testtls_network_init(&n);
        struct testtls_options o = good_server();
        struct net_conn *below = testtls_conn_new(&o);
        assert_int_equal(tls_client(&n.base, below, &cases[i].config, DEADLINE, NULL, &c, &f, &e),
                         ST_INVALID);
        assert_null(c);
        assert_int_equal(e.code, ST_INVALID);
        assert_non_null(strstr(e.text, cases[i].named));
        assert_int_equal(testtls_sent(below), 0);
        net_close(below);
    }
    free(cert_text);
    free(key_text);
    free(cert);
    free(other_key);
    free(junk);
    free(encrypted);
    testcert_dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_server_is_verified),
        cmocka_unit_test(fingerprint_is_that_of_the_certificate),
        cmocka_unit_test(bindings_agree_with_the_server),
        cmocka_unit_test(groups_and_keys_are_named),
        cmocka_unit_test(one_byte_at_a_time),
        cmocka_unit_test(much_data_comes_back_whole),
        cmocka_unit_test(buffered_bytes_make_the_layer_ready),
        cmocka_unit_test(the_end_is_clean_or_not),
        cmocka_unit_test(we_end_with_close_notify),
        cmocka_unit_test(an_address_is_checked_and_not_sent_as_name),
        cmocka_unit_test(names_are_sent_as_they_should),
        cmocka_unit_test(trust_is_taken_from_where_it_was_told),
        cmocka_unit_test(client_certificate_is_shown_when_asked),
        cmocka_unit_test(bad_local_files_are_told),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
