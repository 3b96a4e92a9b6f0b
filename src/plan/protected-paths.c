#include "plan/protected.h"

#include <stddef.h>

/* clang-format off */
const char *const protected_in_home[] = {
	/* What shells read when they start, log in, log out or complete a word. */
	".alias", ".aliases", ".antibody", ".antidote", ".antigen", ".atuin", ".bash_aliases",
	".bash_completion", ".bash_completion.d", ".bash_functions", ".bash_login", ".bash_logout",
	".bash_profile", ".bashrc", ".bashrc.d", ".blerc", ".cache/zsh", ".config/atuin",
	".config/bash", ".config/bash_completion", ".config/direnv", ".config/elvish",
	".config/fish", ".config/nushell", ".config/oh-my-posh", ".config/powershell",
	".config/sheldon", ".config/starship.toml", ".config/xonsh", ".config/yash", ".config/zsh",
	".cshdirs", ".cshrc", ".direnvrc", ".elvish", ".env", ".environment", ".envrc", ".exports",
	".functions", ".fzf", ".fzf.bash", ".fzf.zsh", ".inputrc", ".kshrc", ".liquidprompt",
	".liquidpromptrc", ".local/share/bash-completion", ".local/share/blesh",
	".local/share/direnv", ".local/share/fish", ".local/share/powershell", ".local/share/zinit",
	".local/share/zsh", ".login", ".logout", ".mkshrc", ".oh-my-bash", ".oh-my-zsh",
	".p10k.zsh", ".profile", ".profile.d", ".shinit", ".shrc", ".tcshrc", ".tmuxifier",
	".xonshrc", ".yash_profile", ".yashrc", ".zcompdump", ".zgen", ".zgenom", ".zi", ".zim",
	".zinit", ".zlogin", ".zlogout", ".zplug", ".zprezto", ".zprofile", ".zsh",
	".zsh_plugins.sh", ".zsh_plugins.zsh", ".zshenv", ".zshrc",

	/* Logging in, from near and far, and the session that begins then. */
	".cache/sessions", ".config/autostart", ".config/autostart-scripts", ".config/environment",
	".config/environment.d", ".config/gnome-session", ".config/ksmserverrc",
	".config/locale.conf", ".config/session", ".config/startkderc", ".config/systemd",
	".config/upstart", ".config/user-dirs.conf", ".config/user-dirs.dirs",
	".config/user-tmpfiles.d", ".config/uwsm", ".config/xpra", ".config/Yubico", ".dmrc",
	".forward", ".gnomerc", ".google_authenticator", ".init", ".k5identity", ".k5login",
	".k5users", ".local/share/systemd", ".local/share/user-tmpfiles.d", ".mailfilter",
	".pam_environment", ".procmailrc", ".rhosts", ".shosts", ".vnc", ".xclients", ".Xdefaults",
	".xinitrc", ".xinput.d", ".xinputrc", ".xpra", ".xprofile", ".Xresources", ".Xresources.d",
	".xscreensaver", ".xserverrc", ".xsession", ".xsessionrc", ".yubico",

	/* Who one is: cookies, keys, agents, and the buses that programs look for. */
	".1password", ".authinfo", ".authinfo.gpg", ".azure", ".bitwarden-ssh-agent.sock", ".boto", ".cargo/credentials",
	".cargo/credentials.toml", ".config/gnupg", ".config/pkcs11", ".config/rclone",
	".config/syncthing", ".dbus", ".dbus-keyrings", ".git-credentials", ".gnupg",
	".ICEauthority", ".local/share/gnupg", ".local/share/keyrings", ".local/share/kwalletd",
	".local/state/syncthing", ".mylogin.cnf", ".netrc", ".password-store", ".pg_service.conf",
	".pgpass", ".pki", ".pulse-cookie", ".pypirc", ".s3cfg", ".serverauth", ".ssh",
	".terraform.d", ".vault-token", ".Xauthority",

	/* What buses and browsers start when they are asked; what menus and file managers start. */
	".config/BraveSoftware/Brave-Browser/NativeMessagingHosts",
	".config/chromium/NativeMessagingHosts", ".config/dbus-1", ".config/gnome-mimeapps.list",
	".config/google-chrome/NativeMessagingHosts", ".config/kde-mimeapps.list", ".config/libfm",
	".config/menus", ".config/microsoft-edge/NativeMessagingHosts", ".config/mimeapps.list",
	".config/pcmanfm", ".config/pcmanfm-qt", ".config/Thunar",
	".config/vivaldi/NativeMessagingHosts", ".config/xdg-desktop-portal",
	".config/xdg-terminals.list", ".config/xfce-mimeapps.list", ".gnome2",
	".local/share/applications", ".local/share/caja", ".local/share/caja-python",
	".local/share/contractor", ".local/share/dbus-1", ".local/share/desktop-directories",
	".local/share/file-manager", ".local/share/kio", ".local/share/kservices5",
	".local/share/kservices6", ".local/share/kservicetypes5", ".local/share/mime",
	".local/share/nautilus", ".local/share/nautilus-python", ".local/share/nemo",
	".local/share/nemo-python", ".local/share/thumbnailers", ".local/share/Thunar",
	".local/share/xdg-desktop-portal", ".local/share/xdg-terminals", ".mailcap", ".menu",
	".mime.types", ".mozilla/native-messaging-hosts",

	/* Desktops and window managers: commands at a key, in a panel, on an event. */
	".blackbox", ".blackboxrc", ".cache/xmonad", ".config/albert", ".config/autokey",
	".config/autorandr", ".config/awesome", ".config/bspwm", ".config/cinnamon",
	".config/conky", ".config/cosmic", ".config/dconf", ".config/dunst", ".config/espanso",
	".config/eww", ".config/fcitx", ".config/fcitx5", ".config/fusuma", ".config/gammastep",
	".config/herbstluftwm", ".config/hypr", ".config/i3", ".config/i3blocks",
	".config/i3status", ".config/ibus", ".config/icewm", ".config/input-remapper-2",
	".config/jwm", ".config/kanshi", ".config/kdeconnect", ".config/kded5rc", ".config/kded6rc",
	".config/kdedefaults", ".config/kdeglobals", ".config/kglobalshortcutsrc",
	".config/khotkeysrc", ".config/konsolerc", ".config/krunnerrc", ".config/kscreenlockerrc",
	".config/kwinrc", ".config/labwc", ".config/leftwm", ".config/libinput-gestures.conf",
	".config/lxpanel", ".config/lxqt", ".config/lxsession", ".config/lxterminal",
	".config/mako", ".config/mate", ".config/niri", ".config/openbox", ".config/plank",
	".config/plasma-org.kde.plasma.desktop-appletsrc", ".config/plasma-workspace",
	".config/plasmashellrc", ".config/polybar", ".config/powerdevilrc",
	".config/powermanagementprofilesrc", ".config/qtile", ".config/redshift", ".config/river",
	".config/rofi", ".config/startupconfig", ".config/sway", ".config/swayidle",
	".config/swaync", ".config/sxhkd", ".config/tint2", ".config/touchegg", ".config/uim",
	".config/ulauncher", ".config/variety", ".config/waybar", ".config/wayfire.ini",
	".config/weston.ini", ".config/wofi", ".config/xfce4", ".config/xfce4-session",
	".config/xmonad", ".config/xremap", ".conkyrc", ".ctwmrc", ".cwmrc", ".e", ".fluxbox",
	".fvwm", ".fvwm2rc", ".gconf", ".i3", ".i3status.conf", ".icewm", ".jwmrc", ".kde", ".kde4",
	".local/share/autokey", ".local/share/cinnamon", ".local/share/fcitx5",
	".local/share/gnome-shell", ".local/share/kglobalaccel", ".local/share/khotkeys",
	".local/share/konsole", ".local/share/krunner", ".local/share/kwin",
	".local/share/kxmlgui5", ".local/share/plasma", ".local/share/ulauncher",
	".local/share/xfce4", ".local/share/xmonad", ".mwmrc", ".pekwm", ".ratpoisonrc", ".sawfish",
	".sawfishrc", ".screenlayout", ".spectrwm.conf", ".stumpwm.d", ".stumpwmrc", ".twmrc",
	".uim", ".uim.d", ".vtwmrc", ".wmii", ".xbindkeysrc", ".xbindkeysrc.scm", ".xmobarrc",
	".xmonad", "GNUstep",

	/* Settings that have modules loaded into whatever plays, draws or opens a window. */
	".asoundrc", ".cache/gstreamer-1.0", ".config/alsa", ".config/gtk-2.0", ".config/gtk-3.0",
	".config/gtk-4.0", ".config/gtkrc", ".config/gtkrc-2.0", ".config/pipewire",
	".config/pulse", ".config/qtchooser", ".config/Trolltech.conf", ".config/vulkan",
	".config/wireplumber", ".gtkrc", ".gtkrc-2.0", ".gtkrc-2.0.mine", ".gtkrc.mine",
	".local/share/gstreamer-1.0", ".local/share/pipewire", ".local/share/vulkan",
	".local/share/wireplumber", ".mozilla/plugins", ".pulse", ".qt",

	/* Sandboxes and containers: who writes here decides what they keep in. */
	".cache/vitrine", ".config/bubblejail", ".config/containers", ".config/distrobox",
	".config/firejail", ".config/flatpak", ".config/libvirt", ".config/lxc", ".config/vitrine",
	".colima", ".docker", ".lima", ".local/share/bubblejail", ".local/share/containers", ".local/share/flatpak",
	".local/share/libvirt", ".local/share/lxc", ".local/share/vitrine", ".local/state/vitrine",
	".lxc",

	/* Where commands and their libraries are found. */
	".asdf", ".bin", ".bun", ".cabal/bin", ".cargo/bin", ".cargo/env", ".composer/vendor",
	".conda", ".config/composer", ".config/guix", ".config/home-manager", ".config/nix",
	".config/nixpkgs", ".deno/bin", ".dotnet/tools", ".elan", ".foundry", ".gem", ".ghcup",
	".goenv", ".guix-profile", ".jenv", ".juliaup", ".krew", ".linuxbrew", ".local/bin",
	".local/lib", ".local/libexec", ".local/opt", ".local/sbin", ".local/share/coursier",
	".local/share/fnm", ".local/share/gem", ".local/share/mise", ".local/share/nix",
	".local/share/pipx", ".local/share/pnpm", ".local/share/uv", ".local/state/nix",
	".luarocks", ".nimble", ".nix-channels", ".nix-defexpr", ".nix-profile", ".node_modules",
	".nodenv", ".npm-global", ".npm-packages", ".nvm", ".opam", ".perl5", ".perlbrew", ".pixi",
	".plenv", ".pyenv", ".rbenv", ".rustup", ".rvm", ".sdkman", ".volta", ".yarn", "anaconda3",
	"bin", "go/bin", "mambaforge", "miniconda3", "miniforge3", "node_modules", "perl5", "sbin",

	/* What interpreters and builders run when they start. */
	".ant", ".antrc", ".cargo/config", ".cargo/config.toml", ".condarc", ".config/bpython",
	".config/ccache", ".config/go", ".config/ipython", ".config/mise", ".config/npm",
	".config/pip", ".config/pypoetry", ".config/python", ".config/uv", ".gemrc", ".ghc",
	".ghci", ".gradle", ".guile", ".ipython", ".irbrc", ".julia/config", ".jupyter",
	".local/share/jupyter", ".m2", ".mavenrc", ".npmrc", ".ocamlinit", ".octaverc", ".pdbrc",
	".pdbrc.py", ".perldb", ".pip", ".pnpmfile.cjs", ".pryrc", ".pydistutils.cfg", ".pythonrc",
	".pythonrc.py", ".pythonstartup", ".R", ".Renviron", ".Rprofile", ".rvmrc", ".sbclrc",
	".sbt", ".tclshrc", ".wishrc", ".yarnrc", ".yarnrc.yml",

	/* Editors and version control. */
	".bazaar", ".config/breezy", ".config/doom", ".config/emacs", ".config/gh", ".config/git",
	".config/glab-cli", ".config/helix", ".config/hg", ".config/hub", ".config/jj",
	".config/kak", ".config/lazygit", ".config/lvim", ".config/micro", ".config/nano",
	".config/nvim", ".config/tig", ".config/vim", ".cvsrc", ".doom.d", ".emacs", ".emacs.d",
	".emacs.el", ".emacs.elc", ".exrc", ".git", ".git-hooks", ".git-templates", ".git_template",
	".gitconfig", ".githooks", ".gitk", ".gnus", ".gnus.el", ".gvimrc", ".hgext", ".hgrc",
	".jjconfig.toml", ".joerc", ".local/share/lvim", ".local/share/nvim", ".nanorc", ".nexrc",
	".selected_editor", ".spacemacs", ".spacemacs.d", ".SpaceVim.d", ".subversion", ".tigrc",
	".vim", ".vimrc", ".xemacs",

	/* Terminals and the commands that one types in them. */
	".alacritty.toml", ".alacritty.yml", ".ansible", ".ansible.cfg", ".aws", ".byobu",
	".config/aerc", ".config/alacritty", ".config/alot", ".config/borgmatic", ".config/byobu",
	".config/curlrc", ".config/foot", ".config/gcloud", ".config/gdb", ".config/ghostty",
	".config/helm", ".config/joshuto", ".config/kitty", ".config/less", ".config/lesskey",
	".config/lf", ".config/lftp", ".config/mc", ".config/msmtp", ".config/mutt",
	".config/neomutt", ".config/newsboat", ".config/nnn", ".config/pacman", ".config/popt",
	".config/ranger", ".config/terminator", ".config/tilda", ".config/tmux",
	".config/tmuxinator", ".config/vifm", ".config/weechat", ".config/wezterm", ".config/yazi",
	".config/yt-dlp", ".config/zellij", ".curlrc", ".devscripts", ".fetchmailrc", ".gbp.conf",
	".gdbearlyinit", ".gdbinit", ".gef.rc", ".getmail", ".irssi", ".kube", ".less",
	".lessfilter", ".lesskey", ".lftp", ".lftprc", ".lldbinit", ".local/share/lftp",
	".local/share/mc", ".local/share/weechat", ".local/share/zellij", ".lynxrc", ".mailrc",
	".makepkg.conf", ".mbsyncrc", ".mc", ".msmtprc", ".mutt", ".muttrc", ".my.cnf", ".ncmpcpp",
	".neomuttrc", ".newsboat", ".offlineimap.py", ".offlineimaprc", ".pbuilderrc", ".popt",
	".psqlrc", ".quiltrc", ".reportbugrc", ".rpmmacros", ".rpmrc", ".sbuildrc", ".screen", ".screenrc",
	".sqliterc", ".terraformrc", ".tmux", ".tmux.conf", ".tmuxinator", ".vagrant.d", ".vifm",
	".w3m", ".weechat", ".wezterm.lua", ".wgetrc", ".yt-dlp",
	NULL,
};

/* Variants of what is above: for one host, version or display, compiled, or beside it. */
const char *const protected_begins_in_home[] = {
	".bash_", ".bashrc", ".cache/keyring-", ".cache/p10k-", ".cache/vitrine", ".ICEauthority", ".profile",
	".serverauth", ".Xauthority", ".zcompdump", ".zlogin", ".zlogout", ".zprofile", ".zshenv",
	".zshrc", NULL,
};
/* clang-format on */
