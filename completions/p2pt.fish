# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_p2pt_global_optspecs
    string join \n v/verbose q/quiet no-progress h/help V/version
end

function __fish_p2pt_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_p2pt_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_p2pt_using_subcommand
    set -l cmd (__fish_p2pt_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c p2pt -n "__fish_p2pt_needs_command" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_needs_command" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_needs_command" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_needs_command" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "peer-id" -d 'print this user\'s peer ID, making an identity on first use'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "rendezvous" -d 'run the rendezvous service that introduces peers'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "check" -d 'say what stands between here and there'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "connect" -d 'a pipe between two peers, through NATs, encrypted'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "group" -d 'groups: make, join, watch and post to them'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "post" -d 'post to a group, and leave when members have it'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "multicast" -d 'live streams to many, each of whom passes them on'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "replicate-file" -d 'give files to many at once, each of whom gives them on'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "replicate" -d 'give files to many at once, each of whom gives them on'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "route" -d 'send messages along the ring of a group'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "store" -d 'a group\'s distributed storage: values by key'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "demo" -d 'a rendezvous and peers on this machine, one command, real sockets'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "simulate" -d 'let a group of thousands live in one process, and say how it fares'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "completions" -d 'print the completions for a shell'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "man" -d 'write the man pages into a folder'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "links" -d 'make links such as p2pt-connect, which is p2pt connect'
complete -c p2pt -n "__fish_p2pt_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -l new -d 'Make a new identity; the old one is kept under another name'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -l flash -d 'Make the new identity one that RFC 7425 peers can authenticate'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand peer-id" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s l -l listen -d 'Listen on this UDP address [default: [::]:1935]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l advertise -d 'The name to print in the address, when it is not the one listened on' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l developer-keys -d 'Serve only those who show a key of this file' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l redirect-to -d 'Send new clients to this server instead; may be repeated' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l probe-from -d 'A second address of this machine from which to probe NATs' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l keepalive -d 'Ask each client after this much silence whether it is there [default: 10s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l hostname -d 'Answer also to clients that ask for a server of this name' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l flash -d 'Serve RTMFP clients that are not p2pt, too (RFC 7425)'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand rendezvous" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand check" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l allow -d 'Let this peer in; may be repeated' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l max-conns -d 'Serve at most N peers at once [default: 64]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s e -l exec -d 'Give the pipe to `sh -c CMD` instead of this terminal' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l to-tcp -d 'Join each peer to a TCP connection to HOST:PORT' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l from-tcp -d 'Accept TCP connections here, and join each to the peer' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l to-udp -d 'Pass datagrams to HOST:PORT' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l from-udp -d 'Pass datagrams that arrive here to the peer' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l messages -d 'Carry messages instead of bytes' -r -f -a "line\t''
nul\t''
ts\t''
u32\t''"
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l lifetime -d 'Drop a message that was not delivered in time' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s l -l listen -d 'Wait for a peer instead of dialling one'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l allow-any -d 'Let any peer in'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l keep-open -d 'Go on after a peer has left, and serve several at once where each has its own command or connection'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l recv-only -d 'Send nothing; standard input is not read'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l send-only -d 'Receive nothing'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand connect" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "new" -d 'make a groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "show" -d 'decode a groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "join" -d 'be a member: print others\' posts, post what is typed'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "members" -d 'list the members that are known here'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "info" -d 'the group as it is seen from here: size, neighbours, rates'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "post" -d 'post to a group, and leave when members have it'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and not __fish_seen_subcommand_from new show join members info post help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s n -l name -d 'The group\'s name [default: p2pt]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s o -l output -d 'Write to a new FILE, mode 0600, instead of standard output' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l posting-password-file -d 'Posting needs the password in FILE; - is standard input' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l posting-password-fd -d 'Posting needs the password in file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l publish-password-file -d 'Publishing needs the password in FILE; - is standard input' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l publish-password-fd -d 'Publishing needs the password in file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l flash-salt -d 'A salt for their hashes' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l bootstrap-peer -d 'A member to begin with; may be repeated' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l ip-multicast -d 'An IP multicast address of the group, for one sender or any; may be repeated' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l groupspec-version -d 'Groupspec version; 1 is for the oldest Flash Players [default: 2]' -r -f -a "1\t''
2\t''"
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l guessable -d 'Add no random bytes: whoever sets the same options gets the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l posting -d 'Members post'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l multicast -d 'Members multicast streams'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l replication -d 'Members replicate objects'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l routing -d 'Members route messages'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l server-channel -d 'Members find each other through the rendezvous, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l member-updates -d 'Members find each other by IP multicast, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l no-peer-to-peer -d 'Members do not connect to each other: IP multicast alone'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l posting-password -d 'Posting needs a password, which is generated'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l publish-password -d 'Publishing streams needs a password, which is generated'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l flash-passwords -d 'Write given passwords as Flash does: hashed, and in clear behind the groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from new" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -l without-passwords -d 'Print the groupspec alone, without Flash\'s passwords in clear'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from show" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s n -l nick -d 'Post under this nickname: a claim, shown with the peer ID' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l receive-mode -d 'Take routed messages for one\'s own address only, or for all that one is nearest to [default: nearest]' -r -f -a "exact\t''
nearest\t''"
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l retention -d 'Keep posts this long for those who missed them [default: 5m]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l posting-password-file -d 'Read the posting password from FILE; - is standard input' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l posting-password-fd -d 'Read the posting password from file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l neighbor -d 'A member to connect to at once; may be repeated' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s w -l timeout -d 'With --send-only: give up when no member was found for this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l echo -d 'Print one\'s own posts, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l recv-only -d 'Post nothing; standard input is not read'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l send-only -d 'Print nothing, and leave after the end of standard input'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s 0 -l nul -d 'Posts end with a NUL instead of a newline, in and out'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l anonymous -d 'Sign with a fresh key instead of the user\'s identity'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from join" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from members" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from info" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s n -l nick -d 'Post under this nickname: a claim, shown with the peer ID' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l posting-password-file -d 'Read the posting password from FILE; - is standard input' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l posting-password-fd -d 'Read the posting password from file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s 0 -l nul -d 'Posts on standard input end with a NUL instead of a newline'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l raw -d 'All of standard input is one post'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l anonymous -d 'Sign with a fresh key instead of the user\'s identity'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from post" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "new" -d 'make a groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "show" -d 'decode a groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "join" -d 'be a member: print others\' posts, post what is typed'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "members" -d 'list the members that are known here'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "info" -d 'the group as it is seen from here: size, neighbours, rates'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "post" -d 'post to a group, and leave when members have it'
complete -c p2pt -n "__fish_p2pt_using_subcommand group; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s n -l nick -d 'Post under this nickname: a claim, shown with the peer ID' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l posting-password-file -d 'Read the posting password from FILE; - is standard input' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l posting-password-fd -d 'Read the posting password from file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s 0 -l nul -d 'Posts on standard input end with a NUL instead of a newline'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l raw -d 'All of standard input is one post'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l anonymous -d 'Sign with a fresh key instead of the user\'s identity'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand post" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -f -a "publish" -d 'publish standard input as a live stream'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -f -a "play" -d 'play a stream of a group to standard output'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and not __fish_seen_subcommand_from publish play help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l format -d 'What standard input is [default: auto]' -r -f -a "auto\t''
flv\t''
mpegts\t''
raw\t''"
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l latency -d 'How long after its publication the stream is played [default: 2s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l multicast-window-duration -d 'Gather pieces for this long before they must be played; default the latency' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l multicast-fetch-period -d 'Ask for what nobody pushed after this long; default an eighth of the latency' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l multicast-availability-update-period -d 'Tell neighbours this often what is there; default 100ms' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l multicast-push-neighbor-limit -d 'Push each piece of a stream to N neighbours at most; default 4' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l multicast-relay-margin-duration -d 'Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l publish-password-file -d 'Read the publishing password from FILE' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l publish-password-fd -d 'Read the publishing password from file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l realtime -d 'Go by the stream\'s own clock, if input comes faster than that'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l flash-timing -d 'Flash\'s settings instead of those for a latency'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l multicast-availability-send-to-all -d 'Tell all neighbours each time, not one after the other'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l anonymous -d 'Sign with a fresh key instead of the user\'s identity'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from publish" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l latency -d 'Play this long after publication; default what the publisher says' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l publisher -d 'Only the stream of this publisher' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -s w -l timeout -d 'Give up after this long without a word of the publisher [default: 10s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l multicast-push-neighbor-limit -d 'Push each piece of a stream to N neighbours at most; default 4' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l multicast-relay-margin-duration -d 'Keep what was played for this long, for others who miss it; default 2s, or the latency if that is longer' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l keep-open -d 'After the end wait for the next stream of the name'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from play" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from help" -f -a "publish" -d 'publish standard input as a live stream'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from help" -f -a "play" -d 'play a stream of a group to standard output'
complete -c p2pt -n "__fish_p2pt_using_subcommand multicast; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -f -a "share" -d 'share files and folders, and print the address to fetch them by'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -f -a "fetch" -d 'fetch files, and share them meanwhile'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and not __fish_seen_subcommand_from share fetch help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l until-copies -d 'Leave when N others have all of it' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l for -d 'Leave after this long' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l up -d 'Send at most this much, as in 10Mbit/s' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l group -d 'Share in this group instead of a fresh one; its groupspec needs object replication' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l rendezvous -d 'Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l polite -d 'Leave the line to other traffic, even to members on this machine'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l no-polite -d 'Take what can be had of the line'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from share" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s o -l output -d 'Where to put it: a new file or, for a list, a folder; - is standard output' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l up -d 'Send at most this much, as in 10Mbit/s' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l down -d 'Receive at most this much, as in 10Mbit/s' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l force -d 'Overwrite what is there'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s y -l yes -d 'Do not ask before a list of files is fetched'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l stay -d 'Go on sharing when all is there, until a signal'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l polite -d 'Leave the line to other traffic, even to members on this machine'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l no-polite -d 'Take what can be had of the line'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from fetch" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from help" -f -a "share" -d 'share files and folders, and print the address to fetch them by'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from help" -f -a "fetch" -d 'fetch files, and share them meanwhile'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate-file; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -f -a "share" -d 'share files and folders, and print the address to fetch them by'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -f -a "fetch" -d 'fetch files, and share them meanwhile'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and not __fish_seen_subcommand_from share fetch help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l until-copies -d 'Leave when N others have all of it' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l for -d 'Leave after this long' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l up -d 'Send at most this much, as in 10Mbit/s' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l group -d 'Share in this group instead of a fresh one; its groupspec needs object replication' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l rendezvous -d 'Meet others through this rendezvous; default $P2PT_RENDEZVOUS, or none: this LAN' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l polite -d 'Leave the line to other traffic, even to members on this machine'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l no-polite -d 'Take what can be had of the line'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from share" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s o -l output -d 'Where to put it: a new file or, for a list, a folder; - is standard output' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l up -d 'Send at most this much, as in 10Mbit/s' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l down -d 'Receive at most this much, as in 10Mbit/s' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l force -d 'Overwrite what is there'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s y -l yes -d 'Do not ask before a list of files is fetched'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l stay -d 'Go on sharing when all is there, until a signal'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l polite -d 'Leave the line to other traffic, even to members on this machine'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l no-polite -d 'Take what can be had of the line'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from fetch" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from help" -f -a "share" -d 'share files and folders, and print the address to fetch them by'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from help" -f -a "fetch" -d 'fetch files, and share them meanwhile'
complete -c p2pt -n "__fish_p2pt_using_subcommand replicate; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l to-nearest -d 'Send to the member nearest to this place: PEER-ID, @ADDRESS or a key' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l receive-mode -d 'With --listen: take messages for one\'s own address only, or for all that one is nearest to [default: nearest]' -r -f -a "exact\t''
nearest\t''"
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l ready-fd -d 'Write one line to file descriptor N when ready' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l ready-file -d 'Write that line to a file instead, whole or not at all' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l to-next -d 'Send to the next member in increasing direction'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l to-previous -d 'Send to the next member in decreasing direction'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l to-neighbors -d 'Send to every neighbour'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s l -l listen -d 'Print what arrives here, a line each'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l ack -d 'Wait until the receiver says that it has the message'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s 0 -l nul -d 'Messages end with a NUL instead of a newline, in and out'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l anonymous -d 'Sign with a fresh key instead of the user\'s identity'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand route" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -f -a "put" -d 'store a value under a key'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -f -a "get" -d 'get a value by its key'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and not __fish_seen_subcommand_from put get help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l expires -d 'How long it is kept, at most 30 days [default: 1d]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l posting-password-file -d 'Read the posting password from FILE; - is standard input' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l posting-password-fd -d 'Read the posting password from file descriptor N' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s k -l key -d 'Use the identity in FILE [env: P2PT_KEY]' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l content -d 'Store under the value\'s own SHA-256, without author'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l remove -d 'Take one\'s own value back'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l anonymous -d 'Sign with a fresh key instead of the user\'s identity'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from put" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -l from -d 'Only what this author put' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -s w -l timeout -d 'Give up after this long [default: 30s]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -l bind -d 'Use this UDP address of ours [default: [::]:0]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -l content -d 'KEY is the SHA-256 of a value, in hex'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -l alone -d 'Join for this call alone, even if p2pt group join runs here for the same group'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -l flash -d 'Speak to RTMFP peers that are not p2pt, too'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from get" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "put" -d 'store a value under a key'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "get" -d 'get a value by its key'
complete -c p2pt -n "__fish_p2pt_using_subcommand store; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -l size -d 'How much to pipe [default: 64MiB]' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand demo" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l members -d 'How many members' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l seed -d 'From which all chance comes' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l for -d 'How long things are done, after all have joined' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l engine -d 'Carry messages (swarm) or packets (world)' -r -f -a "swarm\t''
world\t''"
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l set -d 'Change any setting; may be repeated' -r
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l plot -d 'Draw it into FILE, as SVG' -r -F
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l list -d 'List the scenarios, or the settings of SCENARIO, and run nothing'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -s j -l json -d 'Write events as JSON Lines'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand simulate" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand completions" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand completions" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand completions" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand completions" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand man" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand man" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand man" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand man" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand links" -s v -l verbose -d 'Say more on standard error; -vv and -vvv say still more'
complete -c p2pt -n "__fish_p2pt_using_subcommand links" -s q -l quiet -d 'Say nothing on standard error but errors'
complete -c p2pt -n "__fish_p2pt_using_subcommand links" -l no-progress -d 'Show no progress bars'
complete -c p2pt -n "__fish_p2pt_using_subcommand links" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c p2pt -n "__fish_p2pt_using_subcommand links" -s V -l version -d 'Print version'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "peer-id" -d 'print this user\'s peer ID, making an identity on first use'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "rendezvous" -d 'run the rendezvous service that introduces peers'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "check" -d 'say what stands between here and there'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "connect" -d 'a pipe between two peers, through NATs, encrypted'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "group" -d 'groups: make, join, watch and post to them'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "post" -d 'post to a group, and leave when members have it'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "multicast" -d 'live streams to many, each of whom passes them on'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "replicate-file" -d 'give files to many at once, each of whom gives them on'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "route" -d 'send messages along the ring of a group'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "store" -d 'a group\'s distributed storage: values by key'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "demo" -d 'a rendezvous and peers on this machine, one command, real sockets'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "simulate" -d 'let a group of thousands live in one process, and say how it fares'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "completions" -d 'print the completions for a shell'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "man" -d 'write the man pages into a folder'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "links" -d 'make links such as p2pt-connect, which is p2pt connect'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and not __fish_seen_subcommand_from peer-id rendezvous check connect group post multicast replicate-file route store demo simulate completions man links help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from group" -f -a "new" -d 'make a groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from group" -f -a "show" -d 'decode a groupspec'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from group" -f -a "join" -d 'be a member: print others\' posts, post what is typed'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from group" -f -a "members" -d 'list the members that are known here'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from group" -f -a "info" -d 'the group as it is seen from here: size, neighbours, rates'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from group" -f -a "post" -d 'post to a group, and leave when members have it'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from multicast" -f -a "publish" -d 'publish standard input as a live stream'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from multicast" -f -a "play" -d 'play a stream of a group to standard output'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from replicate-file" -f -a "share" -d 'share files and folders, and print the address to fetch them by'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from replicate-file" -f -a "fetch" -d 'fetch files, and share them meanwhile'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "put" -d 'store a value under a key'
complete -c p2pt -n "__fish_p2pt_using_subcommand help; and __fish_seen_subcommand_from store" -f -a "get" -d 'get a value by its key'
