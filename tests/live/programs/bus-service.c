/*
 * bus-service NAME...: owns these names on the session bus, answers every call with a string that
 * says which it was, and prints it. For bus.bats, outside of a sandbox.
 */

#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

static int on_message(sd_bus_message *m, void *user, sd_bus_error *error)
{
	const char *interface = sd_bus_message_get_interface(m);
	const char *member = sd_bus_message_get_member(m);

	(void)user;
	(void)error;
	if (!sd_bus_message_is_method_call(m, NULL, NULL))
		return 0;
	printf("%s.%s\n", interface, member);
	fflush(stdout);
	sd_bus_emit_signal(sd_bus_message_get_bus(m), sd_bus_message_get_path(m), interface,
			   "Happened", "s", member);
	return sd_bus_reply_method_return(m, "s", member);
}

int main(int argc, char **argv)
{
	sd_bus *bus = NULL;
	int r = sd_bus_open_user(&bus);

	if (r >= 0)
		r = sd_bus_add_filter(bus, NULL, on_message, NULL);
	for (int i = 1; i < argc && r >= 0; i++)
		r = sd_bus_request_name(bus, argv[i], 0);
	if (r >= 0) {
		puts("ready");
		fflush(stdout);
	}
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	fprintf(stderr, "bus-service: %s\n", strerror(-r));
	return 1;
}
