/*
 * Listens on, or connects to, one socket: what a sandbox can reach is compared with what the
 * desktop can.
 *
 *   sockets listen tcp|abstract [NAME]    prints the port or the name once it listens
 *   sockets connect tcp ADDRESS PORT
 *   sockets connect abstract NAME
 *   sockets connect path PATH             prints "reached", or why not with exit status 1
 */

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_un un;
};

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static socklen_t set_tcp(union address *a, const char *host, int port)
{
	memset(a, 0, sizeof *a);
	a->in.sin_family = AF_INET;
	a->in.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, host, &a->in.sin_addr) != 1)
		exit(2);
	return sizeof a->in;
}

static socklen_t set_unix(union address *a, const char *name, int abstract)
{
	size_t length = strlen(name);

	memset(a, 0, sizeof *a);
	a->un.sun_family = AF_UNIX;
	if (length + 2 > sizeof a->un.sun_path)
		exit(2);
	memcpy(a->un.sun_path + abstract, name, length);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static int listen_on(union address *a, socklen_t size, const char *name)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, &a->any, size) < 0 || listen(fd, 16) < 0)
		return fail("listen");
	if (a->any.sa_family == AF_INET) {
		if (getsockname(fd, &a->any, &size) < 0)
			return fail("getsockname");
		printf("%d\n", ntohs(a->in.sin_port));
	} else {
		printf("%s\n", name);
	}
	fflush(stdout);
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		if (peer < 0)
			return fail("accept");
		close(peer);
	}
}

static int connect_to(const union address *a, socklen_t size)
{
	const struct timeval patience = { .tv_sec = 3 };
	int fd = socket(a->any.sa_family, SOCK_STREAM, 0);

	if (fd < 0)
		return fail("socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, &a->any, size) < 0)
		return fail("connect");
	puts("reached");
	return 0;
}

int main(int argc, char **argv)
{
	union address a;

	if (argc >= 3 && !strcmp(argv[1], "listen"))
		return !strcmp(argv[2], "tcp") ? listen_on(&a, set_tcp(&a, "127.0.0.1", 0), NULL)
					       : listen_on(&a, set_unix(&a, argv[3], 1), argv[3]);
	if (argc == 5 && !strcmp(argv[2], "tcp"))
		return connect_to(&a, set_tcp(&a, argv[3], atoi(argv[4])));
	if (argc == 4)
		return connect_to(&a, set_unix(&a, argv[3], !strcmp(argv[2], "abstract")));
	return 2;
}
